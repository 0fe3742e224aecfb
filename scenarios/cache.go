package scenarios

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// Cache keeps what is costly to make (tokenizers, tokenised stores, base models) on disk, under the
// hash of what it was made from. An entry whose bytes are not what was put in counts as missing. A
// cache that cannot be written is no error: the run only starts more slowly the next time.
type Cache struct {
	Dir      string // empty: nothing is kept
	MaxBytes int64  // the entries written longest ago go first
}

// DefaultCacheBytes bounds the cache of a user who says nothing.
const DefaultCacheBytes = 4 << 30

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
	return Cache{Dir: dir, MaxBytes: DefaultCacheBytes}
}

// cacheKey hashes everything that an entry depends on.
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

// get returns an entry's bytes, or nil.
func (c Cache) get(kind, key string) []byte {
	if c.Dir == "" {
		return nil
	}
	data, err := os.ReadFile(c.path(kind, key))
	if err != nil || len(data) < sha256.Size {
		return nil
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:]) {
		return nil
	}
	return body
}

// put stores an entry, whole or not at all.
func (c Cache) put(kind, key string, body []byte) error {
	if c.Dir == "" || int64(len(body)) > c.MaxBytes {
		return nil
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.Dir, ".new-*")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	_, err1 := f.Write(body)
	_, err2 := f.Write(sum[:])
	err = errors.Join(err1, err2, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), c.path(kind, key))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return c.evict()
}

// entryName is what entries are called; whatever else lies in the folder is somebody else's.
var entryName = regexp.MustCompile(`^(tokenizer|store|base)-[0-9a-f]{32}$`)

// unfinishedName is what an entry is called until it is whole.
var unfinishedName = regexp.MustCompile(`^\.new-[0-9]+$`)

// unfinishedAge is how much older than the newest entry an unfinished one must be to count as left
// behind by a killed run.
const unfinishedAge = time.Hour

// evict removes what killed runs left, and the oldest entries until the rest fits.
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
		case err != nil || !info.Mode().IsRegular(): // gone meanwhile, or not ours
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
