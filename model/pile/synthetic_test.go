package pile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/model/golden"
)

func TestThePapersWeightsSumToAHundred(t *testing.T) {
	sum := 0
	for _, p := range paper {
		sum += p.weight
	}
	if sum != 10000 || len(paper) != 22 {
		t.Errorf("%d subsets weigh %d hundredths of a percent; wanted 22 and 10000", len(paper), sum)
	}
	names := SubsetNames()
	if names[0] != "Pile-CC" || names[21] != "Enron Emails" {
		t.Errorf("subsets from %q to %q", names[0], names[21])
	}
	total := 0.0
	for _, subset := range weighted([]string{"Github", "Something new", "FreeLaw"}) {
		total += subset.Weight
	}
	if math.Abs(total-1) > 1e-15 {
		t.Errorf("three weights sum to %v", total)
	}
}

// The mean of n log-normal sizes has the standard error mean * sqrt(exp(sigma**2)-1) / sqrt(n).
func TestDocumentSizesHaveThePapersMeans(t *testing.T) {
	s := synthetic(t, 11, 6_000_000)
	const n = 3000
	for i, subset := range s.subsets {
		sum := 0.0
		for index := range n {
			_, size := s.document(i, Train, index)
			sum += float64(size)
		}
		want := float64(paper[i].meanBytes)
		allowed := 4 * want * math.Sqrt(math.E-1) / math.Sqrt(n)
		if got := sum / n; math.Abs(got-want) > allowed {
			t.Errorf("%s: documents of %.0f bytes on average; the paper has %.0f, sampling allows %.0f off", subset.Name, got, want, allowed)
		}
	}
}

func TestADocumentDependsOnItsPlaceAlone(t *testing.T) {
	whole := synthetic(t, 9, 3_000_000)
	one := synthetic(t, 9, 200_000, "Enron Emails")
	enron := slices.Index(SubsetNames(), "Enron Emails")
	for _, split := range []Split{HeldOut, Train, Score} {
		for _, index := range []int{7, 0, 3} {
			a, b := whole.Document(enron, split, index), one.Document(0, split, index)
			if !bytes.Equal(a.Text, b.Text) {
				t.Errorf("document %d, %v: differs with the size and the subsets of the corpus", index, split)
			}
			if other := synthetic(t, 10, 200_000, "Enron Emails").Document(0, split, index); bytes.Equal(a.Text, other.Text) {
				t.Errorf("document %d, %v: the same with another seed", index, split)
			}
		}
	}
	if bytes.Equal(one.Document(0, Train, 0).Text, one.Document(0, Score, 0).Text) {
		t.Error("the first documents of Train and Score are the same")
	}
}

func TestBudgetsAreSpentToTheByte(t *testing.T) {
	for _, size := range []int64{22 * minSubsetBytes, 500_000, 2_800_000, 6_000_000} {
		s := synthetic(t, 1, size)
		counts, err := Inspect(s)
		if err != nil {
			t.Fatal(err)
		}
		total := int64(0)
		for i, c := range counts {
			total += c.Bytes
			if got := [splits]int64{c.TrainBytes, c.ScoreBytes, c.HeldOutBytes}; got != s.budgets[i] {
				t.Errorf("%d bytes: %s has %v, its budget is %v", size, c.Name, got, s.budgets[i])
			}
			full := size >= 22*floorBytes
			if full && (c.TrainBytes < trainFloorBytes || c.ScoreBytes < otherFloorBytes || c.HeldOutBytes < otherFloorBytes) {
				t.Errorf("%d bytes: %s has too little text: %+v", size, c.Name, c)
			}
		}
		if total > size || total < size-22*3 {
			t.Errorf("a corpus of %d bytes has %d", size, total)
		}
		if size == 6_000_000 && counts[0].Bytes < 4*counts[21].Bytes {
			t.Errorf("Pile-CC has %d bytes, Enron Emails %d", counts[0].Bytes, counts[21].Bytes)
		}
	}
}

func TestImpossibleSyntheticCorporaAreRefused(t *testing.T) {
	for _, c := range []struct {
		bytes   int64
		subsets []string
		want    string
	}{
		{90_111, nil, "90111 bytes of synthetic text; wanted 90112 at least"},
		{-5, []string{"Github"}, "wanted 4096 at least"},
		{1e6, []string{"GitHub"}, `subset "GitHub" is unknown or appears twice; wanted each once, of: Pile-CC, `},
		{1e6, []string{"Github", "Github"}, "appears twice"},
	} {
		if _, err := NewSynthetic(1, c.bytes, c.subsets); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d bytes of %v: error %v; wanted one that says %q", c.bytes, c.subsets, err, c.want)
		}
	}
}

// A change of a byte of the text raises syntheticVersion, or caches will not notice.
func TestTheTextIsTheGoldenOne(t *testing.T) {
	var out strings.Builder
	fmt.Fprintf(&out, "version %d\n", syntheticVersion)
	s := synthetic(t, 1, 600_000)
	digest, _ := s.Digest()
	fmt.Fprintf(&out, "digest %x\n", digest)
	h := sha256.New()
	for document, err := range s.Documents() {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(h, "%d %d %d\n%s", document.Subset, document.Split, len(document.Text), document.Text)
	}
	fmt.Fprintf(&out, "text %s\n", hex.EncodeToString(h.Sum(nil)))
	for i, subset := range s.subsets {
		text := s.Document(i, Train, 0).Text
		fmt.Fprintf(&out, "\n[%s] %.6f nats/byte, weight %.4f\n%s\n", subset.Name, s.EntropyRate(subset.Name), subset.Weight, text[:min(len(text), 300)])
	}
	golden.Compare(t, "testdata/synthetic.golden", out.String())
}

func TestAnUnknownSubsetHasNoEntropyRate(t *testing.T) {
	if rate := synthetic(t, 1, 200_000, "Github").EntropyRate("FreeLaw"); rate != 0 {
		t.Errorf("a subset that the corpus lacks has the rate %v", rate)
	}
}

func BenchmarkSynthesis(b *testing.B) {
	s := synthetic(b, 1, 3_000_000)
	b.SetBytes(3_000_000)
	for b.Loop() {
		for range s.Documents() {
		}
	}
}
