package token

// alphabet lists the 256 bytes in GPT-2's order, which is the order of the characters that stand for
// them in files: bytes that print as one character of Latin-1 stand for themselves, the others follow
// as the characters from U+0100 on. A trained tokenizer numbers its bytes in this order.
var alphabet, runeOfByte, byteOfRune = byteAlphabet()

// printable reports whether a byte stands for itself: it prints, and is not a space.
func printable(b int) bool {
	return '!' <= b && b <= '~' || 0xA1 <= b && b <= 0xAC || 0xAE <= b
}

func byteAlphabet() (order [256]byte, runes [256]rune, bytes map[rune]byte) {
	bytes = make(map[rune]byte, 256)
	n := 0
	add := func(b int, r rune) {
		order[n], runes[b], bytes[r] = byte(b), r, byte(b)
		n++
	}
	for b := range 256 {
		if printable(b) {
			add(b, rune(b))
		}
	}
	next := rune(256)
	for b := range 256 {
		if !printable(b) {
			add(b, next)
			next++
		}
	}
	return order, runes, bytes
}

// spell writes a token's bytes as the characters that stand for them.
func spell(text []byte) string {
	runes := make([]rune, len(text))
	for i, b := range text {
		runes[i] = runeOfByte[b]
	}
	return string(runes)
}

// unspell is the inverse of spell; it names the first character that stands for no byte.
func unspell(s string) (text []byte, bad rune, ok bool) {
	for _, r := range s {
		b, known := byteOfRune[r]
		if !known {
			return nil, r, false
		}
		text = append(text, b)
	}
	return text, 0, true
}
