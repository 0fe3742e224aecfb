package pile_test

import (
	"fmt"

	"taolab/model/num"
	"taolab/model/pile"
	"taolab/model/token"
)

// From nothing to a batch: a synthetic corpus, a tokenizer trained on it, the store, and a mix.
func Example() {
	corpus, err := pile.NewSynthetic(1, 300_000, []string{"Github", "Ubuntu IRC"})
	if err != nil {
		fmt.Println(err)
		return
	}
	sample, err := pile.Sample(corpus, 100_000)
	if err != nil {
		fmt.Println(err)
		return
	}
	tok, err := token.Train(sample, 300)
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := pile.Build(corpus, tok)
	if err != nil {
		fmt.Println(err)
		return
	}
	mix, err := store.NewMix(pile.Train, []float64{1, 0}) // only Github
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens, targets := make([]uint16, 4*16), make([]uint16, 4*16)
	mix.Batch(num.NewStream(1, "reader"), 4, 16, tokens, targets)
	fmt.Println(store.Subsets(), tokens[1] == targets[0])
	// Output:
	// [Github Ubuntu IRC] true
}

func ExampleSynthetic_EntropyRate() {
	corpus, err := pile.NewSynthetic(1, 1_000_000, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, subset := range corpus.Subsets()[:3] {
		fmt.Printf("%s: %.3f nats per byte, weight %.4f\n", subset.Name, corpus.EntropyRate(subset.Name), subset.Weight)
	}
	// Output:
	// Pile-CC: 0.650 nats per byte, weight 0.1811
	// PubMed Central: 0.635 nats per byte, weight 0.1440
	// Books3: 0.675 nats per byte, weight 0.1207
}

func ExampleOpen() {
	_, err := pile.Open("no/such/folder", 0, nil, pile.RefuseInvalid)
	fmt.Println(err)
	// Output:
	// pile: corpus: stat no/such/folder: no such file or directory; wanted a folder of .jsonl or .jsonl.zst files, or one such file
}

func ExampleBigram() {
	corpus, _ := pile.NewSynthetic(1, 200_000, []string{"Enron Emails"})
	sample, _ := pile.Sample(corpus, 100_000)
	tok, _ := token.Train(sample, 300)
	store, err := pile.Build(corpus, tok)
	if err != nil {
		fmt.Println(err)
		return
	}
	text := store.Tokens(0, pile.HeldOut)
	loss := pile.NewBigram(store).Loss(text[:len(text)-1], text[1:])
	perByte := loss / store.BytesPerToken()
	fmt.Println("a bigram model is above the entropy rate:", perByte > corpus.EntropyRate("Enron Emails"))
	// Output:
	// a bigram model is above the entropy rate: true
}
