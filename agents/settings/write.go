package settings

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Write writes a struct as TOML with every key resolved, in the struct's order, each with its unit and
// meaning where comments is set.
func Write(w io.Writer, table any, comments bool) error {
	var b strings.Builder
	writeTable(&b, "", reflect.ValueOf(table), comments)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeTable(b *strings.Builder, path string, table reflect.Value, comments bool) {
	fields := Fields(table.Type())
	for _, f := range fields {
		if !f.Table() {
			writeKey(b, f, table.FieldByIndex(f.Index), comments)
		}
	}
	for _, f := range fields {
		value, name := table.FieldByIndex(f.Index), Join(path, f.Key)
		switch {
		case !f.Table():
		case f.Type.Kind() == reflect.Struct:
			fmt.Fprintf(b, "\n[%s]\n", name)
			writeTable(b, name, value, comments)
		default:
			for k := range value.Len() {
				fmt.Fprintf(b, "\n[[%s]]\n", name)
				writeTable(b, name, value.Index(k), comments)
			}
		}
	}
}

// writeKey writes a key, as a comment if it is unset.
func writeKey(b *strings.Builder, f Field, value reflect.Value, comments bool) {
	line := ""
	switch {
	case value.Kind() != reflect.Pointer:
		line = fmt.Sprintf("%s = %s", f.Key, tomlValue(value))
	case !value.IsNil():
		line = fmt.Sprintf("%s = %s", f.Key, tomlValue(value.Elem()))
	case comments:
		line = "# " + f.Key + " ="
	default:
		return
	}
	if comments {
		line = fmt.Sprintf("%-34s # %s", line, f.Doc)
		if f.Unit != "" {
			line += " [" + f.Unit + "]"
		}
	}
	b.WriteString(line + "\n")
}

func tomlValue(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Span:
		return x.String()
	case string:
		return tomlQuote(x)
	case []string:
		quoted := make([]string, len(x))
		for i, word := range x {
			quoted[i] = tomlQuote(word)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case []float64:
		return strings.ReplaceAll(fmt.Sprint(x), " ", ", ")
	case [][]float64:
		rows := make([]string, len(x))
		for i, row := range x {
			rows[i] = strings.ReplaceAll(fmt.Sprint(row), " ", ", ")
		}
		return "[" + strings.Join(rows, ", ") + "]"
	}
	return fmt.Sprint(v.Interface())
}

// tomlQuote writes a basic string. TOML knows fewer escapes than Go.
func tomlQuote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
