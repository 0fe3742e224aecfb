package base

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"taolab/model/whole"
)

// Cache keeps texts and models on disk, each under the hash of its inputs. An entry counts as missing if
// its bytes were changed after they were stored under that name, or if it fails the check of its kind. A
// cache that cannot be written is not an error; the next run just starts more slowly.
type Cache struct {
	Dir      string // empty: nothing is kept
	MaxBytes int64  // the entries written longest ago go first
	Shelf    *Shelf // in memory, looked at before the disk; nil: none

	// Warn receives, one call at a time, each entry that could not be stored or was rejected; it may be
	// nil.
	Warn func(string)
}

// DefaultBytes bounds the cache unless the user sets a size.
const DefaultBytes = 4 << 30

// DefaultCache is the user's cache folder, or the one that TAOLAB_CACHE names; "off" means none.
func DefaultCache() Cache {
	dir := os.Getenv("TAOLAB_CACHE")
	if dir == "off" {
		return Cache{}
	}
	if dir == "" {
		home, err := os.UserCacheDir()
		if err != nil {
			return Cache{}
		}
		dir = filepath.Join(home, "taolab")
	}
	return Cache{Dir: dir, MaxBytes: DefaultBytes}
}

// cacheKey hashes all inputs of an entry.
func cacheKey(parts ...any) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%T:%v\x00", part, part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (c Cache) path(kind, key string) string {
	return filepath.Join(c.Dir, kind+"-"+key)
}

// checksum is the hash at the end of an entry. It covers the entry's name, so that an entry under
// another's name is rejected.
func checksum(kind, key string, body []byte) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "taolab cache 2\x00%s\x00%s\x00", kind, key)
	h.Write(body)
	return h.Sum(nil)
}

// get returns an entry's bytes, or nil.
func (c Cache) get(kind, key string) []byte {
	if c.Dir == "" {
		return nil
	}
	data, err := os.ReadFile(c.path(kind, key))
	if err != nil {
		return nil // missing or unreadable: it is rebuilt
	}
	if n := len(data) - sha256.Size; n >= 0 && bytes.Equal(data[n:], checksum(kind, key, data[:n])) {
		return data[:n]
	}
	c.refuse(kind, key, "its checksum does not match its bytes")
	return nil
}

// refuse warns that an entry is not used.
func (c Cache) refuse(kind, key, why string) {
	if c.Warn != nil {
		c.Warn(fmt.Sprintf("cache: %s was changed and is not used: %s; it is rebuilt", c.path(kind, key), why))
	}
}

// keep stores an entry, or warns that it cannot.
func (c Cache) keep(kind, key string, body []byte) {
	if err := c.put(kind, key, body); err != nil && c.Warn != nil {
		c.Warn(fmt.Sprintf("cache: nothing is kept in %s: %v; name a folder that can be written in TAOLAB_CACHE, or \"off\"", c.Dir, err))
	}
}

// put stores an entry, whole or not at all.
func (c Cache) put(kind, key string, body []byte) error {
	if c.Dir == "" || int64(len(body)) > c.MaxBytes {
		return nil
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	err := whole.Replace(c.path(kind, key), 0o600, func(w io.Writer) error {
		_, err1 := w.Write(body)
		_, err2 := w.Write(checksum(kind, key, body))
		return errors.Join(err1, err2)
	})
	return errors.Join(err, c.evict())
}

// entryName matches the names of entries, including those of earlier releases. Other files in the folder
// are not ours and stay.
var entryName = regexp.MustCompile(`^(text|model|tokenizer|store|base)-[0-9a-f]{32}$`)

// unfinishedName matches the name of an entry that is still being written.
var unfinishedName = regexp.MustCompile(`^\.new-[0-9]+$`)

// An unfinished entry that is older than the newest entry by unfinishedAge was left behind by a killed
// run.
const unfinishedAge = time.Hour

// evict removes what killed runs left behind, and then the oldest entries until the rest fits.
func (c Cache) evict() error {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	var files, unfinished []fs.FileInfo
	total := int64(0)
	for _, entry := range entries {
		info, err := entry.Info()
		switch {
		case err != nil || !info.Mode().IsRegular(): // removed meanwhile, or not ours
		case unfinishedName.MatchString(info.Name()):
			unfinished = append(unfinished, info)
		case entryName.MatchString(info.Name()):
			files = append(files, info)
			total += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, file := range unfinished {
		if len(files) > 0 && files[len(files)-1].ModTime().Sub(file.ModTime()) > unfinishedAge {
			if err := c.remove(file); err != nil {
				return err
			}
		}
	}
	for _, file := range files {
		if total <= c.MaxBytes {
			break
		}
		if err := c.remove(file); err != nil {
			return err
		}
		total -= file.Size()
	}
	return nil
}

// remove removes a file that another run may have removed already.
func (c Cache) remove(file fs.FileInfo) error {
	err := os.Remove(filepath.Join(c.Dir, file.Name()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
