package token

import (
	"unicode"
	"unicode/utf8"
)

// class is the category of a character in GPT-2's rule. A byte that is not UTF-8 is a mark.
type class uint8

const (
	mark class = iota
	letter
	number
	space
)

var asciiClass = func() (table [utf8.RuneSelf]class) {
	for r := range table {
		table[r] = classOf(rune(r))
	}
	return table
}()

func classOf(r rune) class {
	switch {
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return number
	case unicode.IsSpace(r):
		return space
	}
	return mark
}

// next is the class and the length in bytes of the first character of text, which is not empty.
func next(text []byte) (class, int) {
	if text[0] < utf8.RuneSelf {
		return asciiClass[text[0]], 1
	}
	r, size := utf8.DecodeRune(text)
	return classOf(r), size
}

// run is the length in bytes of the characters of class c that text begins with.
func run(text []byte, c class) int {
	n := 0
	for n < len(text) {
		found, size := next(text[n:])
		if found != c {
			break
		}
		n += size
	}
	return n
}

// pretoken is the length in bytes of the first pretoken of text, which is not empty: the first match of
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// where \s has Unicode's White_Space property. In words: one blank belongs to the letters, numbers or
// marks after it; of several white characters before something, the last one stays behind for it.
func pretoken(text []byte) int {
	if text[0] == '\'' {
		if n := contraction(text); n > 0 {
			return n
		}
	}
	c, size := next(text)
	if c != space {
		return run(text, c)
	}
	if text[0] == ' ' && len(text) > 1 {
		if after, _ := next(text[1:]); after != space {
			return 1 + run(text[1:], after)
		}
	}
	n := run(text, space)
	if n == len(text) || n == size {
		return n
	}
	_, last := utf8.DecodeLastRune(text[:n])
	return n - last
}

// contraction is the length of the English ending that text begins with, 0 if there is none.
func contraction(text []byte) int {
	if len(text) >= 2 {
		switch text[1] {
		case 's', 't', 'm', 'd':
			return 2
		}
	}
	if len(text) >= 3 {
		switch string(text[1:3]) {
		case "re", "ve", "ll":
			return 3
		}
	}
	return 0
}
