package jsontext

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	_ "taolab/model/golden" // the flag -update
)

// TestTheScriptsHold runs the scripts in testdata:
//
//	read              reads the input and lists its values
//	lines             reads each line of the input
//	quoted            reads what the quotes around each line hold
//	describe          says what files are that begin with the quoted lines
func TestTheScriptsHold(t *testing.T) {
	for _, script := range []string{"texts.txt", "describe.txt"} {
		datadriven.RunTest(t, "testdata/"+script, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "read":
				return list([]byte(d.Input))
			case "lines":
				var out strings.Builder
				for line := range strings.SplitSeq(d.Input, "\n") {
					out.WriteString(brief([]byte(line)) + "\n")
				}
				return out.String()
			case "quoted":
				var out strings.Builder
				for line := range strings.SplitSeq(d.Input, "\n") {
					out.WriteString(brief(unquoted(t, d, line)) + "\n")
				}
				return out.String()
			case "describe":
				var out strings.Builder
				for line := range strings.SplitSeq(d.Input, "\n") {
					fmt.Fprintf(&out, "%q\n", Describe(unquoted(t, d, line)))
				}
				return out.String()
			}
			d.Fatalf(t, "no command %q", d.Cmd)
			return ""
		})
	}
}

func unquoted(t *testing.T, d *datadriven.TestData, line string) []byte {
	text, err := strconv.Unquote(line)
	if err != nil {
		d.Fatalf(t, "%s: %v", line, err)
	}
	return []byte(text)
}

// list shows every value with its path.
func list(data []byte) string {
	v, err := Read(data, 8)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var out strings.Builder
	for at := range v.text.Nodes {
		fmt.Fprintf(&out, "%s %c", v.text.Path(at), v.text.Kind(at))
		switch v.text.Kind(at) {
		case '{', '[':
		case '"':
			fmt.Fprintf(&out, " %q", v.text.String(at))
		default:
			fmt.Fprintf(&out, " %s", v.text.Raw(at))
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func brief(data []byte) string {
	v, err := Read(data, 8)
	switch {
	case err != nil:
		return "error: " + err.Error()
	case v.Kind() == '"':
		return fmt.Sprintf("%q", v.text.String(v.at))
	}
	return string(v.Raw())
}
