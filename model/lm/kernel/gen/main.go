// Command gen writes the assembly of package kernel, and the Go declarations that go with it, into the
// current folder; go generate in that package runs it.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	for name, text := range files() { // order-free: each is a file of its own
		if err := os.WriteFile(name, text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// files returns what to write, by name.
func files() map[string][]byte {
	list := elementwise()
	products(list)
	return list
}

// An emitter collects lines of assembly.
type emitter struct{ bytes.Buffer }

func (e *emitter) op(format string, args ...any) { fmt.Fprintf(e, "\t"+format+"\n", args...) }

func (e *emitter) label(name string) { fmt.Fprintf(e, "%s:\n", name) }
