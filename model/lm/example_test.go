package lm_test

import (
	"fmt"

	"taolab/model/lm"
	"taolab/model/num"
)

// A model learns to count: after 3 comes 4.
func ExampleWorkspace_Train() {
	cfg := lm.Config{Vocab: 16, Context: 8, Width: 16, Layers: 1, Heads: 2}
	random := num.NewStream(1, "example")
	model := lm.New(cfg, random.Sub("weights"))
	adam := lm.AdamW{Rate: 0.01, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, ClipNorm: 1}

	var state lm.AdamState
	var work lm.Workspace
	tokens, targets := make([]uint16, 4*8), make([]uint16, 4*8)
	for range 100 {
		for i := range tokens {
			if i%8 == 0 {
				tokens[i] = uint16(random.IntN(16))
			} else {
				tokens[i] = targets[i-1]
			}
			targets[i] = (tokens[i] + 1) % 16
		}
		work.Train(model, adam, &state, tokens, targets, 4, 8)
	}

	probs := work.Next(model, []uint16{1, 2, 3}, 1, 3)
	best := 0
	for token, p := range probs {
		if p > probs[best] {
			best = token
		}
	}
	fmt.Println("after 1 2 3 comes", best, "surely:", probs[best] > 0.9)
	// Output: after 1 2 3 comes 4 surely: true
}

// A router learns that peer 2 answered well and peer 0 did not.
func ExampleRouter() {
	cfg := lm.Config{Vocab: 16, Context: 8, Width: 16, Layers: 1, Heads: 2}
	router := lm.NewRouter(cfg, 3, num.NewStream(1, "example"))
	training := lm.RouterTraining{SGD: lm.SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 1}, Batches: 1}

	var state lm.RouterState
	var work lm.Workspace
	tokens := []uint16{5, 6, 7, 8}
	for range 50 {
		work.TrainRouter(router, training, &state, tokens, 1, 4, []uint16{0, 2}, []float32{0.1, 0.8})
	}
	scores := make([]float32, 3)
	work.Route(router, tokens, 1, 4, scores)
	fmt.Printf("%.1f\n", scores)
	// Output: [0.1 0.5 0.8]
}

// The gradients of three batches make a step; the first two wait.
func ExampleRouterTraining() {
	cfg := lm.Config{Vocab: 16, Context: 8, Width: 16, Layers: 1, Heads: 2}
	router := lm.NewRouter(cfg, 3, num.NewStream(1, "example"))
	training := lm.RouterTraining{SGD: lm.SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 1}, Batches: 3}

	var state lm.RouterState
	var work lm.Workspace
	for range 4 {
		work.TrainRouter(router, training, &state, []uint16{5, 6, 7, 8}, 1, 4, []uint16{2}, []float32{0.8})
		fmt.Println(state.Waiting, "wait; the router has moved:", router.Bias[2] != 0)
	}
	// Output:
	// 1 wait; the router has moved: false
	// 2 wait; the router has moved: false
	// 0 wait; the router has moved: true
	// 1 wait; the router has moved: true
}

// Peer 0 is good at rows of small tokens and peer 1 at rows of large ones. Both kinds stand in one batch.
func ExampleRowRouter() {
	cfg := lm.Config{Vocab: 16, Context: 8, Width: 16, Layers: 1, Heads: 2}
	router := lm.NewRowRouter(lm.New(cfg, num.NewStream(1, "example")), 3, 2)
	training := lm.DefaultRowTraining
	training.HeadRate = 0.03

	var adam lm.RowAdam
	var work lm.Workspace
	tokens := []uint16{1, 2, 3, 4, 12, 13, 14, 15}
	answers := []lm.RowPair{
		{Row: 0, UID: 0, Target: 0.9}, {Row: 0, UID: 1, Target: 0.2},
		{Row: 1, UID: 0, Target: 0.1}, {Row: 1, UID: 1, Target: 0.8},
	}
	for range 100 {
		work.TrainRows(router, training, &adam, tokens, 2, 4, []uint16{0, 1}, nil, answers)
	}
	scores := make([]float32, 2*3)
	work.RouteRows(router, tokens, 2, 4, nil, scores)
	fmt.Printf("small tokens %.1f\nlarge tokens %.1f\n", scores[:2], scores[3:5])
	// Output:
	// small tokens [0.9 0.2]
	// large tokens [0.1 0.8]
}

// A table says what a peer has reached before, and a router that has learned nothing repeats it.
func ExampleWorkspace_RouteRows() {
	cfg := lm.Config{Vocab: 16, Context: 8, Width: 16, Layers: 1, Heads: 2}
	router := lm.NewRowRouter(lm.New(cfg, num.NewStream(1, "example")), 2, 2)
	means := []float32{
		0.9, 0.1, // peer 0, by subset
		0.4, 0.4,
	}
	scores := make([]float32, 2)
	new(lm.Workspace).RouteRows(router, []uint16{1, 2, 3, 4}, 1, 4, means, scores)
	fmt.Printf("%.2f\n", scores)
	// Output: [0.50 0.40]
}

// The seat of uid 2 changes hands.
func ExampleRowRouter_Forget() {
	cfg := lm.Config{Vocab: 16, Context: 8, Width: 16, Layers: 1, Heads: 2}
	router := lm.NewRowRouter(lm.New(cfg, num.NewStream(1, "example")), 3, 0)

	var adam lm.RowAdam
	var work lm.Workspace
	tokens := []uint16{1, 2, 3, 4}
	for range 3 {
		work.TrainRows(router, lm.DefaultRowTraining, &adam, tokens, 1, 4, nil, nil,
			[]lm.RowPair{{Row: 0, UID: 1, Target: 0.7}, {Row: 0, UID: 2, Target: 0.9}})
	}
	router.Forget(2, &adam)
	fmt.Println("steps", adam.GateSteps, "bias forgotten:", router.Bias[2] == 0, "others kept:", router.Bias[1] != 0)
	// Output: steps [0 3 0] bias forgotten: true others kept: true
}

func ExampleRowAdam_Check() {
	cfg := lm.Config{Vocab: 16, Context: 8, Width: 16, Layers: 1, Heads: 2}
	trunk := lm.New(cfg, num.NewStream(1, "example"))
	adam := lm.RowAdam{GateSteps: make([]uint64, 2)}
	fmt.Println(adam.Check(lm.NewRowRouter(trunk, 3, 0)))
	// Output: lm: row router's Adam has 2 counts and 0 and 0 moments; expected 3 and 3764 of each
}

func ExampleConfig_CheckBatch() {
	cfg := lm.Config{Vocab: 16, Context: 8, Width: 16, Layers: 1, Heads: 2}
	fmt.Println(cfg.CheckBatch([]uint16{1, 2, 3, 99}, 2, 2))
	// Output: lm: token 99 at row 1, column 1; the vocabulary has 16 tokens
}

func ExampleModel_Tensors() {
	cfg := lm.Config{Vocab: 16, Context: 8, Width: 4, Layers: 1, Heads: 2}
	model := lm.New(cfg, num.NewStream(1, "example"))
	for _, t := range model.Tensors() {
		fmt.Println(t.Name, t.Shape)
	}
	// Output:
	// wte.weight [16 4]
	// wpe.weight [8 4]
	// h.0.ln_1.weight [4]
	// h.0.ln_1.bias [4]
	// h.0.attn.c_attn.weight [4 12]
	// h.0.attn.c_attn.bias [12]
	// h.0.attn.c_proj.weight [4 4]
	// h.0.attn.c_proj.bias [4]
	// h.0.ln_2.weight [4]
	// h.0.ln_2.bias [4]
	// h.0.mlp.c_fc.weight [4 16]
	// h.0.mlp.c_fc.bias [16]
	// h.0.mlp.c_proj.weight [16 4]
	// h.0.mlp.c_proj.bias [4]
	// ln_f.weight [4]
	// ln_f.bias [4]
}

// A decoder reads a prompt and continues it, here with the best token each time.
func ExampleDecoder() {
	cfg := lm.Config{Vocab: 16, Context: 8, Width: 16, Layers: 1, Heads: 2}
	random := num.NewStream(1, "example")
	model := lm.New(cfg, random.Sub("weights"))
	sgd := lm.SGD{Rate: 0.1, Momentum: 0.9, ClipNorm: 1}

	var momentum lm.Momentum
	var work lm.Workspace
	tokens, targets := make([]uint16, 4*8), make([]uint16, 4*8)
	for range 200 {
		for i := range tokens {
			if i%8 == 0 {
				tokens[i] = uint16(random.IntN(16))
			} else {
				tokens[i] = targets[i-1]
			}
			targets[i] = (tokens[i] + 1) % 16
		}
		work.TrainSGD(model, sgd, &momentum, tokens, targets, 4, 8)
	}

	decoder := lm.NewDecoder(model, 2) // two sequences at a time
	prompt, text := []uint16{3, 4, 5, 9, 10, 11}, make([]uint16, 2*4)
	decoder.Generate(prompt, text, lm.Sampling{}, make([]*num.Stream, 2))
	fmt.Println(text)
	// Output: [6 7 8 9 12 13 14 15]
}
