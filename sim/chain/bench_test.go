package chain

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// economy is a network in which validators weigh all miners, at the start of its second epoch.
func economy(t testing.TB, uids, validators int) *State {
	p, err := Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	p = p.Scaled(uids)
	p.MaxValidators = uint16(validators)
	p.ActivityCutoffBlocks = 1 << 40
	g := Genesis{ChainID: "test", Params: p}
	for i := range uids {
		n := GenesisNeuron{Hotkey: pub(fmt.Sprint("hot", i)), Coldkey: pub("cold0")}
		if i < validators {
			n.StakeRao = uint64(1000+i) * RaoPerTAO
		}
		g.Neurons = append(g.Neurons, n)
	}
	s := mustNew(t, g)
	s.Advance(s.NextEvent())
	for v := range validators {
		var m SetWeights
		for j := validators; j < uids; j++ {
			m.UIDs = append(m.UIDs, uint16(j))
			m.Values = append(m.Values, uint32(1+(j*7919+v*104729)%65535))
		}
		name := fmt.Sprint("hot", v)
		if err := s.Apply(Sign("test", testKey(name), 0, 1<<40, m)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestYearsPassWithoutLosingARao(t *testing.T) {
	s := economy(t, 8, 2)
	const years = 2 * 365 * 24 * 300
	events := s.Advance(years)
	if want := years / s.params.TempoBlocks; uint64(len(events)) != want {
		t.Errorf("%d epochs, want %d", len(events), want)
	}
	paid, dust := uint64(0), uint64(0)
	for _, e := range events {
		paid += e.(EpochRan).PaidRao
		dust += e.(EpochRan).DustRao
	}
	// A share is cut to 32 fraction bits, then the amount to whole rao.
	perNeuron := 360*uint64(RaoPerTAO)>>32 + 2
	free, staked := s.sums()
	balanced := staked+s.money.Pending+s.money.Dust == s.money.Minted
	if free != 0 || !balanced || dust > uint64(len(events))*8*perNeuron {
		t.Errorf("staked %d, paid %d, dust %d: %+v", staked, paid, dust, s.money)
	}
}

// BenchmarkDecade is ten years of an economy: 73,000 epochs.
func BenchmarkDecade(b *testing.B) {
	for _, n := range []int{16, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				economy(b, n, n/4).Advance(10 * 365 * 24 * 300)
			}
		})
	}
}

// BenchmarkEpochBlock is a block with an epoch of 512 neurons, then its view and its digest.
func BenchmarkEpochBlock(b *testing.B) {
	s := economy(b, 512, 64)
	b.Run("epoch", func(b *testing.B) {
		for b.Loop() {
			s.Advance(s.NextEvent() - s.Height())
		}
	})
	b.Run("epoch, view and digest", func(b *testing.B) {
		for b.Loop() {
			s.Advance(s.NextEvent() - s.Height())
			s.View()
			s.Seal()
		}
	})
	b.Run("quiet block, view and digest", func(b *testing.B) {
		for b.Loop() {
			if s.NextEvent() == s.Height()+1 {
				s.params.TempoBlocks = 1 << 31
			}
			s.EndBlock()
			s.View()
			s.Seal()
		}
	})
}

// BenchmarkDigest is a digest after a block of a network of 4,096 neurons in which 100 neurons and
// their accounts changed, and ten rows of 1,024 weights.
func BenchmarkDigest(b *testing.B) {
	const n = 4096
	s := crowded(b, n)
	s.Seal()
	rows := make([][]WeightEntry, 2)
	for v := range rows {
		for j := range 1024 {
			rows[v] = append(rows[v], WeightEntry{UID: UID(4 * j), Weight: uint32(1 + (j*7919+v)%65535)})
		}
	}
	b.ReportAllocs()
	round := 0
	for b.Loop() {
		round++
		for i := range 100 {
			uid := UID((i*4093/100 + round*41) % n)
			s.neuron(uid).lastUpdate++
			s.account(s.neurons.get(uid).hotkey).nonce++
			if i < 10 {
				s.setWeights(uid, rows[round%2])
			}
		}
		s.Seal()
	}
}

// crowded is a network of n neurons without transactions so far.
func crowded(t testing.TB, n int) *State {
	p, err := Era("2025-01")
	if err != nil {
		t.Fatal(err)
	}
	g := Genesis{ChainID: "test", Params: p.Scaled(n)}
	for i := range n {
		var hot, cold Key
		binary.LittleEndian.PutUint64(hot[1:], uint64(i)*0x9e3779b97f4a7c15+1)
		binary.LittleEndian.PutUint64(cold[1:], uint64(i)*0xbf58476d1ce4e5b9+1)
		hot[0], cold[0] = hot[5], cold[5]
		g.Neurons = append(g.Neurons, GenesisNeuron{hot, cold, RaoPerTAO})
		g.Balances = append(g.Balances, Balance{cold, RaoPerTAO})
	}
	return mustNew(t, g)
}

// BenchmarkYear is a year of one full subnet: 2.63 million blocks, 7,300 epochs of 512 neurons of
// which 64 weigh 448, and a thin trace's reading after each: the view and its neurons, no digest.
func BenchmarkYear(b *testing.B) {
	const blocks = 365*24*300 + 2000
	for b.Loop() {
		s := economy(b, 512, 64)
		epochs := 0
		for end := s.Height() + blocks; s.Height() < end; {
			next := min(s.NextEvent(), end)
			epochs += len(s.Advance(next - s.Height()))
			v := s.View()
			var staked uint64
			for uid := range v.N() {
				staked += v.Neuron(UID(uid)).StakeRao
			}
			if t := v.Totals(); staked != t.Staked {
				b.Fatalf("neurons hold %d rao, staked are %d", staked, t.Staked)
			}
		}
		if epochs < 7300 {
			b.Fatalf("%d epochs", epochs)
		}
	}
}
