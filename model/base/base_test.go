package base

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"taolab/model/golden"
	"taolab/model/lm"
	"taolab/model/pile"
)

var subsets = []string{"Github", "ArXiv"}

func synthetic() (pile.Source, error) { return pile.NewSynthetic(1, 500_000, subsets) }

func text(t testing.TB, c Cache) *Text {
	t.Helper()
	text, err := Read(context.Background(), synthetic, 288, c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// recipe trains long enough for its warm-up to have several steps.
var recipe = Recipe{
	Shape: lm.Config{Vocab: 288, Context: 8, Width: 8, Layers: 1, Heads: 2}, Seed: 1, Steps: 100, Rows: 2, Rate: 6e-3,
}

func model(t testing.TB, store *pile.Store, c Cache) *lm.Model {
	t.Helper()
	models, err := Models(context.Background(), store, []Recipe{recipe}, 1, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return models[0]
}

// TestArithmeticVersionNamesTheGoldenBits ties the bytes of a text and of a model, warm-up included, to
// the version that cached ones are kept under.
func TestArithmeticVersionNamesTheGoldenBits(t *testing.T) {
	const path = "testdata/golden.txt"
	made := text(t, Cache{})
	store, tokenizer, weights := made.Store.Digest(), made.Tokenizer.Digest(), model(t, made.Store, Cache{}).Digest()
	digests := fmt.Sprintf("tokenizer %x\nstore %x\nmodel %x\n", tokenizer, store, weights)
	got := fmt.Sprintf("arithmetic %d\n%s", arithmeticVersion, digests)
	data, err := os.ReadFile(path)
	if err != nil && !golden.Updating() {
		t.Fatal(err)
	}
	want := string(data)
	var version int
	fmt.Sscanf(want, "arithmetic %d", &version)
	switch {
	case got == want:
	case version == arithmeticVersion && want != "":
		t.Errorf("texts or models have other bits than arithmetic version %d gave:\n%swant\n%s"+
			"raise arithmeticVersion, so that no cached one is taken for them, and rewrite the file with -update", version, got, want)
	case golden.Updating():
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is of version %d, the program of %d; rewrite it with -update", path, version, arithmeticVersion)
	}
}

func TestAWarmCacheGivesWhatAColdOneGives(t *testing.T) {
	c := Cache{Dir: t.TempDir(), MaxBytes: DefaultBytes, Warn: func(text string) { t.Error(text) }}
	cold := text(t, c)
	weights := model(t, cold.Store, c).Digest()
	steps := 0
	warm := text(t, c)
	models, err := Models(context.Background(), warm.Store, []Recipe{recipe}, 2, c, func() { steps++ })
	if err != nil {
		t.Fatal(err)
	}
	if steps != 0 {
		t.Errorf("%d steps with a warm cache", steps)
	}
	if warm.Store.Digest() != cold.Store.Digest() || warm.Tokenizer.Digest() != cold.Tokenizer.Digest() || models[0].Digest() != weights {
		t.Error("the warm cache gives something else")
	}
}

// TestAForgedEntryIsMadeAgain changes entries and gives them a checksum that fits.
func TestAForgedEntryIsMadeAgain(t *testing.T) {
	c := Cache{Dir: t.TempDir(), MaxBytes: DefaultBytes}
	cold := text(t, c)
	want := model(t, cold.Store, c).Digest()
	key := cacheKey("model", arithmeticVersion, cold.Store.Digest(), recipe)
	honest := c.get("model", key)
	weights := 32 + 8 + len(honest[40:]) - 8 - lateBytes(honest)
	for name, forge := range map[string]func(data []byte){ // order-free: each forgery starts from the same bytes
		"a weight":               func(data []byte) { nudge(data[weights-4:]) },
		"a late weight":          func(data []byte) { nudge(data[weights+8+60:]) },
		"the early digest":       func(data []byte) { data[3] ^= 1 },
		"the stream of batches":  func(data []byte) { data[len(data)-1] ^= 1 },
		"the length of the late": func(data []byte) { data[weights+1] ^= 1 },
	} {
		forged := slices.Clone(honest)
		forge(forged)
		if err := c.put("model", key, forged); err != nil {
			t.Fatal(err)
		}
		warned := 0
		watched := c
		watched.Warn = func(string) { warned++ }
		if got := model(t, cold.Store, watched).Digest(); got != want || warned != 1 {
			t.Errorf("%s changed: model %x with %d warnings, want %x with one", name, got, warned, want)
		}
		if !slices.Equal(c.get("model", key), honest) {
			t.Errorf("%s changed: the entry was not made again", name)
		}
	}
}

// lateBytes is the length of the state behind the model in an entry.
func lateBytes(entry []byte) int {
	return len(entry) - 40 - int(binary.LittleEndian.Uint64(entry[32:]))
}

// nudge changes a float a little.
func nudge(b []byte) {
	x := math.Float32frombits(binary.LittleEndian.Uint32(b))
	binary.LittleEndian.PutUint32(b, math.Float32bits(x+0.01))
}

func TestAnEntryOfAnotherRecipeUnderThisNameIsMadeAgain(t *testing.T) {
	c := Cache{Dir: t.TempDir(), MaxBytes: DefaultBytes}
	store := text(t, c).Store
	want := model(t, store, c).Digest()
	other := recipe
	other.Rate = 5e-3
	entry, err := other.train(context.Background(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := entry.append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.put("model", cacheKey("model", arithmeticVersion, store.Digest(), recipe), data); err != nil {
		t.Fatal(err)
	}
	if got := model(t, store, c).Digest(); got != want {
		t.Errorf("model %x, want %x", got, want)
	}
}

// TestForgedTokensAreMadeAgainOrChangeTheDigest changes a token at the beginning of a subset, which is
// looked at, and one in the middle, which is not.
func TestForgedTokensAreMadeAgainOrChangeTheDigest(t *testing.T) {
	c := Cache{Dir: t.TempDir(), MaxBytes: DefaultBytes}
	honest := text(t, c).Store.Digest()
	source, err := synthetic()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := source.Digest()
	if err != nil {
		t.Fatal(err)
	}
	key := cacheKey("text", arithmeticVersion, digest, 288)
	for _, c2 := range []struct {
		at    int // tokens from the end, where it is negative
		found bool
	}{{0, true}, {7, true}, {-1000, false}} {
		forged := new(Text)
		if err := forged.unmarshal(c.get("text", key)); err != nil {
			t.Fatal(err)
		}
		tokens := forged.Store.Tokens(1, pile.Train)
		at := (c2.at + len(tokens)) % len(tokens)
		was := tokens[at]
		tokens[at] ^= 1
		data, err := forged.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.put("text", key, data); err != nil {
			t.Fatal(err)
		}
		warned := 0
		c.Warn = func(string) { warned++ }
		got := text(t, c).Store
		if found := warned == 1 && got.Tokens(1, pile.Train)[at] == was && got.Digest() == honest; found != c2.found {
			t.Errorf("token %d was forged: made again %t, with %d warnings", c2.at, found, warned)
		}
		if !c2.found && got.Digest() == honest {
			t.Errorf("token %d was forged and used, and the digest is that of the honest text", c2.at)
		}
	}
}

func TestAnInterruptionEndsTheReadingOfACorpus(t *testing.T) {
	source, err := synthetic()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	var last error
	for _, err := range (interruptible{source, ctx}).Documents() {
		if n++; n == 3 {
			cancel()
		}
		last = err
	}
	if n != 4 || last != context.Canceled {
		t.Errorf("%d documents, the last with %v", n, last)
	}
	if _, err := Read(ctx, synthetic, 288, Cache{}); err != context.Canceled {
		t.Errorf("reading under an ended context: %v", err)
	}
	if _, err := Models(ctx, text(t, Cache{}).Store, []Recipe{recipe}, 1, Cache{}, nil); err != context.Canceled {
		t.Errorf("training under an ended context: %v", err)
	}
}

func TestAModelOfNoStepsIsKeptToo(t *testing.T) {
	c := Cache{Dir: t.TempDir(), MaxBytes: DefaultBytes, Warn: func(text string) { t.Error(text) }}
	store, fresh := text(t, c).Store, recipe
	for _, steps := range []int{0, 1, 2} {
		fresh.Steps = steps
		var digests [2][32]byte
		for i := range digests {
			models, err := Models(context.Background(), store, []Recipe{fresh}, 1, c, nil)
			if err != nil {
				t.Fatal(err)
			}
			digests[i] = models[0].Digest()
		}
		if digests[0] != digests[1] {
			t.Errorf("%d steps: cold %x, warm %x", steps, digests[0], digests[1])
		}
	}
}

func FuzzEntry(f *testing.F) {
	store := text(f, Cache{}).Store
	short := recipe
	short.Steps = 2
	e, err := short.train(context.Background(), store, nil)
	if err != nil {
		f.Fatal(err)
	}
	data, err := e.append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:40])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		e := new(entry)
		if e.unmarshal(data) != nil || e.check(context.Background(), short, store) != nil {
			return
		}
		if again, err := e.append(nil); err != nil || !slices.Equal(again, data) {
			t.Errorf("%s was taken and reads back as something else (%v)", hex.EncodeToString(data), err)
		}
	})
}
