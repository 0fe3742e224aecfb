package settings

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

// WriteReference writes a Markdown table for each table of a struct, under its title: the keys with default,
// unit, range and meaning. Of an array of tables it shows the first.
func WriteReference(w io.Writer, title string, table any) error {
	var b strings.Builder
	writeSection(&b, title, "", reflect.ValueOf(table))
	_, err := io.WriteString(w, b.String())
	return err
}

func writeSection(b *strings.Builder, title, path string, table reflect.Value) {
	fmt.Fprintf(b, "\n## %s\n\n| key | default | unit | range | meaning |\n| --- | --- | --- | --- | --- |\n", title)
	fields := Fields(table.Type())
	for _, f := range fields {
		if f.Table() {
			continue
		}
		preset := fmt.Sprintf("`%v`", table.FieldByIndex(f.Index).Interface())
		if f.Type.Kind() == reflect.Pointer {
			preset = "unset"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", f.Key, preset, f.Unit, f.Range(), f.Doc)
	}
	for _, f := range fields {
		name, value := Join(path, f.Key), table.FieldByIndex(f.Index)
		switch {
		case !f.Table():
		case f.Type.Kind() == reflect.Slice && value.Len() == 0: // tables that this file does not take
		case f.Type.Kind() == reflect.Slice:
			writeSection(b, "[["+name+"]]", name, value.Index(0))
		default:
			writeSection(b, "["+name+"]", name, value)
		}
	}
}
