// Command taolabd is the node that joins a live network: the same agents and the same ledger as in
// the laboratory, between real processes.
//
// It promises to stay apart from the laboratory, so that each builds without the other's weight. It
// forbids itself the virtual world. In this release it tells its version and nothing else: the live
// world below it is not there yet, and a node that only pretended would lose somebody's stake.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// execute runs one command line and returns its exit code: 0, or 2 for wrong usage.
func execute(args []string, stdout, stderr io.Writer) int {
	if len(args) != 1 || args[0] != "version" {
		fmt.Fprintln(stderr, "taolabd: this release has one verb, version; the laboratory is the command taolab")
		return 2
	}
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	fmt.Fprintln(stdout, "taolabd", version)
	return 0
}
