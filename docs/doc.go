// Package docs holds the laws of this repository as text and checks them as tests.
//
// imports.txt says who may import whom, bans.txt which imports, calls, types and statements stay
// out of which folders, words.txt which words nobody writes. The remaining laws are code: the order
// of a map is never relied on, float products are rounded before they are summed, packages have a
// comment, functions and files stay short. They exist so that a run gives the same bits on every
// machine, and so that the code stays readable.
//
// Nothing imports this package. Every law has examples of what it catches and what it lets pass in
// testdata; a finding names the line, the law and what to write instead.
package docs
