package chain

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestEveryTypeOfMessagesHasALineInTheTable reads the sources for types with a number.
func TestEveryTypeOfMessagesHasALineInTheTable(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	numbered := regexp.MustCompile(`(?m)^func \((\w+)\) kind\(\) msgKind +\{ return (\d+) \}$`)
	var want, got []string
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range numbered.FindAllSubmatch(text, -1) {
			want = append(want, fmt.Sprintf("%s chain.%s", m[2], m[1]))
		}
	}
	for _, m := range Messages() {
		got = append(got, fmt.Sprintf("%d %T", m.kind(), m))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the table has the messages\n%v\nthe sources have\n%v", got, want)
	}
}

func TestAPointerToAMessageIsTheMessage(t *testing.T) {
	s := rich(t)
	before := s.View().FreeOf(colds[1].key)
	tx := Sign("stage", colds[0].sign, s.Nonce(colds[0].key), 1000, Transfer{colds[1].key, 5})
	plain, err := tx.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	tx.Msg = &Transfer{colds[1].key, 5}
	if b, err := tx.AppendBinary(nil); err != nil || !bytes.Equal(b, plain) {
		t.Errorf("a pointer is encoded as %x (%v), the message as %x", b, err, plain)
	}
	if err := s.Apply(tx); err != nil {
		t.Fatal(err)
	}
	if got := s.View().FreeOf(colds[1].key); got != before+5 {
		t.Errorf("the receiver has %d rao, want %d", got, before+5)
	}
}
