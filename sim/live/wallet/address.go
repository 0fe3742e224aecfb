package wallet

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"

	"golang.org/x/crypto/blake2b"

	"taolab/sim/chain"
)

// addressFormat is the number of Substrate's generic format, whose addresses begin with 5.
const addressFormat = 42

const (
	base58          = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	addressBytes    = 1 + len(chain.Key{}) + 2
	longestAddress  = 49 // digits of base 58 that hold addressBytes
	checksumPurpose = "SS58PRE"
)

// Address is a key as people write it, in the form SS58.
func Address(k chain.Key) string {
	data := append([]byte{addressFormat}, k[:]...)
	sum := blake2b.Sum512(append([]byte(checksumPurpose), data...))
	number := new(big.Int).SetBytes(append(data, sum[:2]...)) // never begins with a zero byte
	var digits []byte
	for radix, rest := big.NewInt(int64(len(base58))), new(big.Int); number.Sign() > 0; {
		number.DivMod(number, radix, rest)
		digits = append(digits, base58[rest.Int64()])
	}
	for i, j := 0, len(digits)-1; i < j; i, j = i+1, j-1 {
		digits[i], digits[j] = digits[j], digits[i]
	}
	return string(digits)
}

// ParseAddress reads what Address writes, and nothing else.
func ParseAddress(text string) (chain.Key, error) {
	bad := func(fault, want string) (chain.Key, error) {
		return chain.Key{}, fmt.Errorf("address %q: %s; expected %s", short(text), fault, want)
	}
	if len(text) > longestAddress {
		return bad(fmt.Sprintf("%d characters", len(text)), "48, as of an SS58 address that begins with 5")
	}
	number, radix := new(big.Int), big.NewInt(int64(len(base58)))
	for i := range len(text) {
		digit := strings.IndexByte(base58, text[i])
		if digit < 0 {
			return bad(fmt.Sprintf("character %d is %q", i+1, text[i]), "letters and digits without 0, O, I and l")
		}
		number.Add(number.Mul(number, radix), big.NewInt(int64(digit)))
	}
	data := number.Bytes()
	if len(data) != addressBytes || text[0] == base58[0] {
		return bad("it does not hold a key", "48 characters that begin with 5")
	}
	if data[0] != addressFormat {
		return bad(fmt.Sprintf("it is of network %d", data[0]), fmt.Sprintf("an address of format %d, which begins with 5", addressFormat))
	}
	body, check := data[:len(data)-2], data[len(data)-2:]
	if sum := blake2b.Sum512(append([]byte(checksumPurpose), body...)); !bytes.Equal(sum[:2], check) {
		return bad("its checksum is wrong", "an address as it was printed; was a character mistyped?")
	}
	return chain.Key(body[1:]), nil
}

// ParseKey reads a key in either of its two forms: an address, or 64 hexadecimal digits.
func ParseKey(text string) (chain.Key, error) {
	if len(text) == 2*len(chain.Key{}) {
		return chain.ParseKey(text)
	}
	return ParseAddress(text)
}

// short is a text that an error can quote.
func short(text string) string {
	if len(text) > 60 {
		return text[:60] + "..."
	}
	return text
}
