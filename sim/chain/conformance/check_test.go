package conformance

import (
	"os"
	"path/filepath"
	"testing"
)

// TestEveryPublicIntegerVectorIsMet runs the files that lie next to the repository.
func TestEveryPublicIntegerVectorIsMet(t *testing.T) {
	for name, least := range map[string]struct{ cases, epochs int }{
		"emission_curve.json":          {252, 0},
		"epoch_scenarios.json":         {38, 121},
		"fixed_point_math.json":        {213, 0},
		"kusanagi_graph_nakamoto.json": {1, 6},
		"metagraph_sn15.json":          {4, 44},
		"nakamoto_steps.json":          {6, 32},
		"registration_rules.json":      {63, 0},
		"yuma2_2025_liquid_v1.json":    {15, 19},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "vectors", name))
			if os.IsNotExist(err) {
				t.Skipf("%s is not there: the vectors lie next to the repository", name)
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := Check(data)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d of %d cases, %d epochs, %d checks", r.Format, r.Passed, r.Cases, r.Epochs, r.Checks)
			if !r.OK() {
				t.Error(r.First)
			}
			if r.Cases < least.cases || r.Epochs != least.epochs {
				t.Errorf("%d cases and %d epochs, want %d and %d", r.Cases, r.Epochs, least.cases, least.epochs)
			}
		})
	}
}

func TestTheSamplesAreMetAndShowEveryFormat(t *testing.T) {
	shown := map[string]bool{}
	for _, f := range SampleVectors() {
		r, err := Check(f.Text)
		if err != nil || !r.OK() {
			t.Errorf("%s: %+v, %v: %v", f.Name, r, err, r.First)
		}
		shown[r.Format] = true
	}
	for _, name := range Formats() {
		if !shown[name] {
			t.Errorf("no sample of %s", name)
		}
	}
}
