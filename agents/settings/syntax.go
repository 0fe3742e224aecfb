package settings

import (
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
)

// syntaxError names the line that is not TOML, with the library's reason.
func syntaxError(name, text string, err error) error {
	var parse toml.ParseError
	if !errors.As(err, &parse) {
		return &Error{Where: name, Fault: "not TOML: " + err.Error(), Want: "TOML in UTF-8"}
	}
	line := parse.Position.Line
	message := parse.Message
	if strings.Contains(message, `'\x00'`) { // the library's spelling of the end of the text
		message = "the text ends too early"
	}
	return &Error{
		Where: fmt.Sprintf("%s:%d", name, line), Key: parse.LastKey,
		Fault: fmt.Sprintf("%s is not TOML (%s)", lineOf(text, line), strings.Replace(message, "unexpected EOF", "the text ends too early", 1)),
		Want:  `key = value, with words in "quotes", or a [table]`, Hint: "correct the line",
	}
}

// lineOf is a line of the text as errors quote it.
func lineOf(text string, n int) string {
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) || strings.TrimSpace(lines[n-1]) == "" {
		return "the line"
	}
	line := []rune(strings.TrimSpace(lines[n-1]))
	if len(line) > 40 {
		line = append(line[:40], '…')
	}
	return fmt.Sprintf("the line %q", string(line))
}

// notUTF8 recognises text in UTF-16 by its byte order mark, which the TOML library drops
// silently.
func notUTF8(name, text string) error {
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return &Error{Where: name, Fault: "text in UTF-16", Want: "TOML in UTF-8", Hint: `write it as UTF-8, as "iconv -f UTF-16 -t UTF-8" does`}
	}
	return nil
}
