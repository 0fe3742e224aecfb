package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"taolab/sim/trace"
)

// Names that an expectation's Of may have besides a table's.
const (
	OfRun   = "run"
	OfState = "state"
)

// NewDigest stands for a digest that is not known yet.
const NewDigest = "new"

// Expectation is a claim about a finished run: that a number compares with another as it should, or that
// a digest is the known one. The struct tags are the reference of its keys.
type Expectation struct {
	Name       string    `toml:"name" json:"name,omitempty" doc:"what is guarded, in a few words"`
	Metric     string    `toml:"metric" json:"metric,omitempty" doc:"a number of the summary by its name; taolab report RUN --metrics lists them"`
	Comparison string    `toml:"comparison" json:"comparison,omitempty" one:",<,<=,>,>=,==,between" doc:"how the number must stand to value; == is exact, between includes both ends"`
	Value      []float64 `toml:"value" json:"value,omitempty" doc:"the number to compare with; for between a pair [low, high]"`
	Of         string    `toml:"of" json:"of,omitempty" doc:"what the digest is of: run, state (the ledger at the end) or a table; empty is the run"`
	Digest     string    `toml:"digest" json:"digest,omitempty" doc:"the known digest, 64 hexadecimal digits; the word new stands for one that taolab check --update is to fill in"`
}

// Check returns the key of the expectation that is wrong, and the fault; an empty key if none is.
func (e *Expectation) Check() (key, fault, want string) {
	switch {
	case e.Metric == "" && e.Digest == "":
		return "metric", "neither a metric nor a digest", "one of the two"
	case e.Metric != "" && (e.Digest != "" || e.Of != ""):
		return "digest", "a metric and a digest in one", "one of the two; write a second [[expect]]"
	case e.Digest != "":
		if e.Comparison != "" || len(e.Value) > 0 {
			return "digest", "a digest with a comparison or a value",
				"no comparison and no value: a digest is equal or not"
		}
		if e.Digest != NewDigest && checkDigest(e.Digest) != nil {
			return "digest", strconv.Quote(e.Digest), "64 hexadecimal digits, or the word new"
		}
		if _, ok := tableNamed(e.table()); !ok && e.Of != "" && e.Of != OfRun && e.Of != OfState {
			return "of", strconv.Quote(e.Of) + " is not known",
				fmt.Sprintf("%s, %s or a table: %s", OfRun, OfState, tableWords())
		}
		return "", "", ""
	case e.Comparison == "":
		return "comparison", "missing", "one of <, <=, >, >=, ==, between"
	case e.Comparison == "between" && (len(e.Value) != 2 || e.Value[0] > e.Value[1]):
		return "value", fmt.Sprint(e.Value), "a pair [low, high]"
	case e.Comparison != "between" && len(e.Value) != 1:
		return "value", fmt.Sprint(e.Value), "one number"
	}
	return "", "", ""
}

// table is the table that a digest is of; empty for the run and the ledger's state.
func (e *Expectation) table() trace.Table {
	if e.Of == OfRun || e.Of == OfState {
		return ""
	}
	return trace.Table(e.Of)
}

// Table is the table whose rows the expectation needs, where it names one by its digest.
func (e *Expectation) Table() (trace.Table, bool) {
	return e.table(), e.Digest != "" && e.table() != ""
}

func tableWords() string {
	words := make([]string, len(tables))
	for i, t := range tables {
		words[i] = string(t.name)
	}
	return strings.Join(words, ", ")
}

// String is the expectation in words, such as "incentive.random.ratio < 0.5".
func (e *Expectation) String() string {
	switch {
	case e.Digest != "" && e.Of == "":
		return "digest of the run"
	case e.Digest != "":
		return "digest of the " + e.Of
	case e.Comparison == "between" && len(e.Value) == 2:
		return fmt.Sprintf("%s between %v and %v", e.Metric, e.Value[0], e.Value[1])
	case len(e.Value) == 1:
		return fmt.Sprintf("%s %s %v", e.Metric, e.Comparison, e.Value[0])
	}
	return e.Metric
}

// Verdict is the outcome of one expectation.
type Verdict struct {
	Expectation Expectation `json:"expectation"`
	Met         bool        `json:"met"`
	Have        string      `json:"have"` // the number or digest of the run, or why there is none
	Want        string      `json:"want"`
}

// Judge compares the expectation with a finished run.
func (e Expectation) Judge(m *Manifest, s *Summary) Verdict {
	if e.Digest != "" {
		have := e.digestOf(m)
		return Verdict{Expectation: e, Met: have == strings.ToLower(e.Digest), Have: have, Want: e.Digest}
	}
	want := strings.TrimPrefix(e.String(), e.Metric+" ")
	have, ok := s.Metric(e.Metric)
	if !ok {
		return Verdict{e, false, "no such number in this run", want}
	}
	return Verdict{e, e.Holds(have), strconv.FormatFloat(have, 'g', -1, 64), want}
}

// Holds reports whether a number compares as it should.
func (e *Expectation) Holds(have float64) bool {
	if math.IsNaN(have) || len(e.Value) == 0 {
		return false
	}
	switch want := e.Value[0]; e.Comparison {
	case "<":
		return have < want
	case "<=":
		return have <= want
	case ">":
		return have > want
	case ">=":
		return have >= want
	case "==":
		return have == want
	case "between":
		return len(e.Value) == 2 && want <= have && have <= e.Value[1]
	}
	return false
}

// digestOf is the run's digest that the expectation is about; a table without rows has that of no
// bytes.
func (e *Expectation) digestOf(m *Manifest) string {
	switch e.Of {
	case "", OfRun:
		return m.RunDigest
	case OfState:
		return m.LedgerDigest
	}
	for _, t := range m.Tables {
		if t.Table == e.table() {
			return t.Digest
		}
	}
	return emptyDigest
}

// emptyDigest is the SHA-256 of no bytes at all.
const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
