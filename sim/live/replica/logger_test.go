package replica

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// part is one of the engine, with what nobody wants in a log.
type part struct{ Inside string }

func (part) String() string { return "a part" }

func TestTheLogNamesThePartsOfTheEngine(t *testing.T) {
	var out bytes.Buffer
	log := engineLogger{slog.New(slog.NewJSONHandler(&out, nil)), newEnding(slog.Default())}
	log.With("impl", part{"secret"}).Error("stopped", "of", part{"secret"}, "err", errors.New("broken"))
	for _, want := range []string{`"impl":"a part"`, `"of":"a part"`, `"err":"broken"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s; expected %s in it", &out, want)
		}
	}
	if strings.Contains(out.String(), "secret") {
		t.Errorf("it shows all that is in a part: %s", &out)
	}
}
