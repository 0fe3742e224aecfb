package replica

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// chunks keeps those of one state on their way here, which were verified, in a folder of the node: files named
// by their numbers. They are as many bytes as the state has. Nothing is synced: a node that stops meanwhile
// begins again.
type chunks struct {
	fs   vfs.FS
	dir  string
	have []bool
	left int // that are still to come
}

// chunksFolder is in the node's own, and is emptied when the node opens: also of what the engine puts there.
const chunksFolder = "chunks"

// begin empties the folder for so many chunks. With 0 it leaves no folder.
func (c *chunks) begin(n int) error {
	if err := c.fs.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("chunks of a state: %w: is the folder writable?", err)
	}
	c.have, c.left = make([]bool, n), n
	if n == 0 {
		return nil
	}
	if err := c.fs.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("chunks of a state: %w: is the folder writable?", err)
	}
	return nil
}

func (c *chunks) path(number int) string { return filepath.Join(c.dir, strconv.Itoa(number)) }

// put keeps a chunk, unless it is there.
func (c *chunks) put(number int, chunk []byte) (err error) {
	if c.have[number] {
		return nil
	}
	if u, err := c.fs.GetDiskUsage(c.dir); err == nil && u.AvailBytes < leastDiskBytes+uint64(len(chunk)) {
		return fmt.Errorf("chunk %d of a state has %d bytes, and the disk of %s %d MB free: free some, or move the folder, and start again",
			number, len(chunk), c.dir, u.AvailBytes>>20)
	}
	f, err := c.fs.Create(c.path(number), vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.Write(chunk)
		if ended := f.Close(); err == nil {
			err = ended
		}
	}
	if err != nil {
		return fmt.Errorf("chunk %d of a state cannot be kept: %w: is the disk of %s full?", number, err, c.dir)
	}
	c.have[number] = true
	c.left--
	return nil
}

// get reads a chunk back.
func (c *chunks) get(number int) (chunk []byte, err error) {
	f, err := c.fs.Open(c.path(number))
	if err == nil {
		chunk, err = io.ReadAll(f)
		if ended := f.Close(); err == nil {
			err = ended
		}
	}
	if err != nil {
		return nil, fmt.Errorf("chunk %d of a state cannot be read again: %w", number, err)
	}
	return chunk, nil
}
