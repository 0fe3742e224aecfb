package snapshot_test

import (
	"bytes"
	"fmt"
	"io"

	"taolab/sim/snapshot"
)

// ledger is a state with a layout for both directions.
type ledger struct {
	Height uint64
	Names  []string
}

func (l *ledger) layout(c *snapshot.Coder) {
	snapshot.Number(c, &l.Height)
	snapshot.List(c, &l.Names, func(name *string) { snapshot.Text(c, name) })
}

func Example() {
	var file bytes.Buffer
	out := snapshot.NewWriter(&file)
	c := snapshot.Append(nil)
	(&ledger{Height: 7, Names: []string{"ada", "ben"}}).layout(c)
	out.Section(c.Written())
	fmt.Println(out.Close())

	in, err := snapshot.NewReader(&file)
	fmt.Println(err)
	b, err := in.Section()
	var again ledger
	c = snapshot.Read(b)
	again.layout(c)
	fmt.Println(again, err, c.End())
	_, err = in.Section()
	fmt.Println(err == io.EOF)
	// Output:
	// <nil>
	// <nil>
	// {7 [ada ben]} <nil> <nil>
	// true
}
