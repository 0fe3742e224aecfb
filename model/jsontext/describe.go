package jsontext

import "bytes"

// described are beginnings of files that are fetched, renamed or saved in place of what was meant.
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

// Describe says by the first bytes of a file what it is and what to do, if it is none of the formats
// that this program reads but one that is often found in their place; "" if it is not known.
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

// begins compares bytes, capital letters as small ones where small ones are meant.
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
