package retention

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"taolab/sim/chain/consensus"
)

// Study computes the contours of settings at several stakes, over many draws, and whole maps over the first few.
type Study struct {
	Settings []Setting
	Stakes   []float64 // honest shares of stake
	Draws    int
	Maps     int // of the draws
	Seed     uint64
	Workers  int // 0: one per processor
	// Progress, if set, receives the number of pieces done so far, from several goroutines.
	Progress func(done, of int)
}

// Part holds the results of all draws for a setting at a stake.
type Part struct {
	Setting  int // index into Study.Settings
	Stake    float64
	Contours [][]float64 // by draw, by self-weight of the cabal; NaN where no utility retains the stake
	Needed   []float64   // by draw, likewise
	Map      [][]float64 // mean of E_H over the mapped draws, by self-weight and utility; nil without maps
}

// Result is the result of a study.
type Result struct {
	Parts  []Part // by setting, then by stake
	Epochs int
}

// Check returns an error unless the study can be made.
func (s *Study) Check() error {
	for _, setting := range s.Settings {
		if err := setting.Check(); err != nil {
			return err
		}
	}
	for _, stake := range s.Stakes {
		if !(0 < stake && stake < 1) {
			return fmt.Errorf("honest stake %v: expected more than 0 and less than 1", stake)
		}
	}
	const most = 100_000
	switch {
	case len(s.Settings) == 0 || len(s.Stakes) == 0:
		return fmt.Errorf("%d settings and %d stakes: expected at least one of each", len(s.Settings), len(s.Stakes))
	case s.Draws < 1 || s.Draws > most || len(s.Settings)*len(s.Stakes) > most/s.Draws:
		return fmt.Errorf("%d draws of %d settings at %d stakes: expected 1 to %d contours in all", s.Draws, len(s.Settings), len(s.Stakes), most)
	case s.Maps < 0 || s.Maps > s.Draws:
		return fmt.Errorf("%d maps: expected 0 to the %d draws", s.Maps, s.Draws)
	}
	return nil
}

// piece is the result of one draw of one part.
type piece struct {
	contour []float64
	mapped  [][]float64
	epochs  int
}

// Run makes the study on the workers until ctx ends.
func (s *Study) Run(ctx context.Context) (*Result, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	parts := len(s.Settings) * len(s.Stakes)
	pieces := make([]piece, parts*s.Draws)
	workers := s.Workers
	if workers == 0 {
		workers = runtime.NumCPU()
	}
	var next, done atomic.Int64
	var group sync.WaitGroup
	for range min(workers, len(pieces)) {
		group.Go(func() {
			work := new(consensus.Workspace)
			for i := int(next.Add(1) - 1); i < len(pieces) && ctx.Err() == nil; i = int(next.Add(1) - 1) {
				draw, part := i/parts, i%parts
				pieces[part*s.Draws+draw] = s.piece(draw, part, work)
				if n := done.Add(1); s.Progress != nil {
					s.Progress(int(n), len(pieces))
				}
			}
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.gather(pieces), nil
}

// piece makes one draw of a part.
func (s *Study) piece(draw, part int, work *consensus.Workspace) piece {
	setting, stake := s.Settings[part/len(s.Stakes)], s.Stakes[part%len(s.Stakes)]
	n := newNetwork(setting, stake, drawUnits(s.Seed, draw, setting), work)
	var p piece
	p.contour, p.epochs = n.Contour(stake)
	if draw < s.Maps {
		p.mapped = n.Map()
		p.epochs += points * points
	}
	return p
}

// gather joins the pieces in the order of parts and draws.
func (s *Study) gather(pieces []piece) *Result {
	r := new(Result)
	for i := range len(s.Settings) * len(s.Stakes) {
		part := Part{Setting: i / len(s.Stakes), Stake: s.Stakes[i%len(s.Stakes)]}
		for _, p := range pieces[i*s.Draws : (i+1)*s.Draws] {
			part.Contours = append(part.Contours, p.contour)
			part.Needed = append(part.Needed, Needed(p.contour))
			part.Map = added(part.Map, p.mapped, float64(s.Maps))
			r.Epochs += p.epochs
		}
		r.Parts = append(r.Parts, part)
	}
	return r
}

// added adds a map's share to a mean.
func added(sum, m [][]float64, of float64) [][]float64 {
	if m == nil {
		return sum
	}
	if sum == nil {
		sum = make([][]float64, len(m))
	}
	for i, row := range m {
		if sum[i] == nil {
			sum[i] = make([]float64, len(row))
		}
		for j, v := range row {
			sum[i][j] += v / of
		}
	}
	return sum
}

// Band returns the values of a contour's point over the draws, sorted, without draws that have none.
func (p *Part) Band(self int) []float64 {
	var values []float64
	for _, c := range p.Contours {
		if !math.IsNaN(c[self]) {
			values = append(values, c[self])
		}
	}
	slices.Sort(values)
	return values
}
