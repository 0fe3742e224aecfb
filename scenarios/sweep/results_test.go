package sweep

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTwoResultsOfOneRunMustBeEqual(t *testing.T) {
	_, s, _ := whole18(t)
	name := filepath.Join(s.Dir, resultsFolder, "other.log")
	log, err := openLog(name)
	if err != nil {
		t.Fatal(err)
	}
	forged := record{Key: s.Design.Run(0).Key.String(), Outcome: []byte(`{"status":"ok","run_digest":"00"}`)}
	if _, _, err := log.append(forged); err != nil {
		t.Fatal(err)
	}
	if err := log.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Gather(s.Design, s.Dir); err == nil || !strings.Contains(err.Error(), "other.log") || !strings.Contains(err.Error(), "0-of-1.log") {
		t.Errorf("got %v, expected an error that names both logs", err)
	}
}

func TestLaterAttemptReplacesThoseBefore(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, resultsFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, attempts := range [][]int{{0, 2}, {1, 0}} { // in two logs, one of which has an older attempt behind
		log, err := openLog(filepath.Join(dir, resultsFolder, fmt.Sprintf("%d.log", i)))
		if err != nil {
			t.Fatal(err)
		}
		for _, attempt := range attempts {
			outcome := fmt.Sprintf(`{"status":"failed","error":"attempt %d"}`, attempt)
			if attempt == 2 {
				outcome = `{"status":"ok"}`
			}
			if _, _, err := log.append(record{Key: Key{}.String(), Attempt: attempt, Outcome: []byte(outcome)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := log.close(); err != nil {
			t.Fatal(err)
		}
	}
	x, err := readResults(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r, out, err := x.load(Key{}); err != nil || r.Attempt != 2 || out.Status != OK {
		t.Errorf("attempt %+v came to %+v, %v; expected the second, which is ok", r, out, err)
	}
}

func TestEntryWithAWrongByteIsNoResult(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.log")
	log, err := openLog(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := log.append(record{Key: Key{}.String(), Outcome: []byte(`{"status":"ok"}`), Cost: Cost{Host: "here"}}); err != nil {
		t.Fatal(err)
	}
	if err := log.close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("here"), []byte("hexe"), 1)
	seen := 0
	if _, err := entries(bytes.NewReader(text), func(int64, []byte) error { seen++; return nil }); err != nil || seen != 0 {
		t.Errorf("%d entries, error %v; expected none", seen, err)
	}
}

func FuzzLogsOfResultsAreRead(f *testing.F) {
	f.Add([]byte(resultsHeading))
	f.Add([]byte(resultsHeading + "\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		end, err := entries(bytes.NewReader(data), func(at int64, payload []byte) error {
			if at+int64(len(payload)) > int64(len(data)) {
				t.Error("an entry behind the end")
			}
			return nil
		})
		if err == nil && end > int64(len(data)) {
			t.Errorf("whole up to byte %d of %d", end, len(data))
		}
	})
}
