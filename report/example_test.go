package report_test

import (
	"fmt"
	"log"
	"os"
	"strings"

	"taolab/report"
	"taolab/sim/trace"
)

// A short run, from its first row to its report.
func Example() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	w, err := report.NewWriter(dir, trace.Blocks, trace.Training)
	if err != nil {
		log.Fatal(err)
	}
	for height := range uint64(3) {
		w.Record(trace.Block{Height: height, EmissionRao: 1e9, IssuanceRao: height * 1e9})
		w.Record(trace.Train{Block: height, Subset: "all", HeldOutLoss: 4 - float32(height)/2})
		w.Record(trace.Bond{Epoch: 0}) // not asked for, not written
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	manifest := report.Manifest{
		Name: "short", Seed: 1, Finished: true, VirtualNs: 36e9, Blocks: 3, Tables: w.Tables(),
		RunDigest: strings.Repeat("0", 64), LedgerDigest: strings.Repeat("0", 64),
		Nodes: []report.Node{{Name: "alice", Kind: report.KindMiner, Behaviour: report.Honest, HasUID: true}},
	}
	if err := report.WriteManifest(dir, manifest); err != nil {
		log.Fatal(err)
	}
	if err := report.Write(dir); err != nil {
		log.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range entries {
		fmt.Println(e.Name())
	}
	// Output:
	// blocks.parquet
	// figures
	// report.html
	// run.json
	// summary.json
	// training.parquet
}

// Rows streams a table; a run that did not record it says so.
func ExampleRows() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := report.NewWriter(dir)
	if err != nil {
		log.Fatal(err)
	}
	w.Record(trace.Fault{TimeNs: 7e9, Kind: "crash", Detail: "miner-3 stops"})
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	run := &report.Run{Dir: dir, Manifest: report.Manifest{Tables: w.Tables()}}
	err = report.Rows(run, func(f trace.Fault) error {
		fmt.Println(f.TimeNs/1e9, f.Kind, f.Detail)
		return nil
	})
	fmt.Println(err)
	// Output:
	// 7 crash miner-3 stops
	// <nil>
}

func ExampleSummary_Metric() {
	s := report.Summary{Supply: &report.SupplySummary{MintedRao: 100, FreeRao: 100}}
	difference, ok := s.Metric("supply.difference_rao")
	fmt.Println(difference, ok)
	_, ok = s.Metric("loss.median") // nothing was measured
	fmt.Println(ok)
	// Output:
	// 0 true
	// false
}

func ExampleColumns() {
	for _, c := range report.Columns(trace.Bonds) {
		fmt.Printf("%s %s (%s): %s\n", c.Name, c.Type, c.Unit, c.Doc)
	}
	// Output:
	// epoch uint32 (epoch): running number of the epoch
	// block uint64 (block): height at which the epoch ran
	// from uint16 (uid): the validator that holds the bond
	// to uint16 (uid): the neuron that the bond is in
	// from_node uint32 (index): node that held from; NULL for a hotkey of no node
	// to_node uint32 (index): node that held to; NULL for a hotkey of no node
	// bond uint64 (1/65535): stored bond (nakamoto: rao)
}

func ExampleSpearman() {
	loss := []float64{3.1, 3.4, 3.9, 4.2}
	incentive := []float64{0.5, 0.3, 0.15, 0.05}
	fmt.Println(report.Spearman(loss, incentive))
	// Output: -1
}
