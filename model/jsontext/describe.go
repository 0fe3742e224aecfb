package jsontext

import "bytes"

// described lists the first bytes of files that users often have in place of the one they meant.
var described = []struct{ begins, what string }{
	{"version https://git-lfs", `a pointer of Git LFS, not the file itself; run "git lfs pull" in its repository`},
	{"/annex/objects/", `a pointer of git-annex, not the file itself; run "git annex get" in its repository`},
	{"<!doctype", "a web page; the download failed, fetch the file again"},
	{"<html", "a web page; the download failed, fetch the file again"},
	{"<head", "a web page; the download failed, fetch the file again"},
	{"<?xml", "an XML document, as servers send errors; fetch the file again"},
	{"\x1f\x8b", `a gzip file; unpack it with "gzip -d"`},
	{"\xfd7zXZ\x00", `an xz file; unpack it with "xz -d"`},
	{"BZh", `a bzip2 file; unpack it with "bzip2 -d"`},
	{"PK\x03\x04", `a zip file; unpack it with "unzip"`},
	{"\x28\xb5\x2f\xfd", `a zstd file; name it .zst where that ending is known, or unpack it with "zstd -d"`},
	{"\xff\xfe", `text in UTF-16; write it as UTF-8, as "iconv -f UTF-16 -t UTF-8" does`},
	{"\xfe\xff", `text in UTF-16; write it as UTF-8, as "iconv -f UTF-16 -t UTF-8" does`},
}

// Describe names the format of a file from its first bytes, and the remedy, if it is one that users
// often have in place of a format that this program reads; "" otherwise.
func Describe(head []byte) string {
	const most = 64
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(head[:min(len(head), most)], []byte(Mark)), " \t\r\n")
	for _, d := range described {
		if begins(trimmed, d.begins) {
			return d.what
		}
	}
	return ""
}

// begins reports whether data begins with a text; lower-case letters of the text match both cases.
func begins(data []byte, with string) bool {
	if len(data) < len(with) {
		return false
	}
	for i, want := range []byte(with) {
		c := data[i]
		if c >= 'A' && c <= 'Z' && want >= 'a' && want <= 'z' {
			c += 'a' - 'A'
		}
		if c != want {
			return false
		}
	}
	return true
}
