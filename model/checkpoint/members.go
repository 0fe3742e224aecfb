package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// member is a name and a value of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// members takes a JSON object apart. Unlike encoding/json it refuses names that stand twice, and so
// two readers cannot see two different files.
func members(data []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, fmt.Errorf("found %.40q; expected an object", data)
	}
	var list []member
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("byte %d: %w", d.InputOffset(), err)
		}
		m := member{name: name.(string)}
		if seen[m.name] {
			return nil, fmt.Errorf("byte %d: %q stands twice", d.InputOffset(), m.name)
		}
		seen[m.name] = true
		if err := d.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("byte %d: %q: %w", d.InputOffset(), m.name, err)
		}
		list = append(list, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("byte %d: %w", d.InputOffset(), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("byte %d: something follows the object", d.InputOffset())
	}
	return list, nil
}
