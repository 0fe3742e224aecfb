package chain

import (
	"math/big"
	"testing"
)

// FuzzEarn compares what a delegate's epoch pays with the same in fractions.
func FuzzEarn(f *testing.F) {
	f.Add(uint64(7), uint64(7), uint16(0), uint64(1), uint64(1), uint64(1), uint8(1), uint64(0), uint64(0))
	f.Add(uint64(10e9), uint64(5e9), uint16(11796), uint64(60e9), uint64(20e9), uint64(1), uint8(0),
		uint64(30e9), uint64(5e9))
	f.Add(uint64(10e9), uint64(5e9), uint16(11796), uint64(60e9), uint64(20e9), uint64(7e9), uint8(1),
		uint64(90e9), uint64(5e9))
	f.Add(uint64(21e15), uint64(21e15), uint16(65535), uint64(0), uint64(1), uint64(21e15), uint8(1),
		uint64(1<<64-1), uint64(1<<64-1))
	f.Fuzz(func(t *testing.T, rao, dividends uint64, take uint16, own, first, second uint64, ago uint8,
		settledOwn, settledFirst uint64) {
		const supply = 21e15
		rao %= supply
		dividends = min(dividends, rao)
		own, first, second = own%supply, 1+first%supply, 1+second%supply
		a := hotkey{stakeRao: own + first + second, delegate: true, take: take}
		a.nominations = []nomination{{Key{1}, first, settledFirst}, {Key{2}, second, 0}}
		a.changedIn, a.settledRao = 9-uint64(ago%9), settledOwn
		shared := a.nominations
		got := a.earn(rao, dividends, 9)
		counts := []uint64{own, first, second}
		if ago%9 == 0 { // the second nominator came in this epoch
			counts = []uint64{min(own, settledOwn), min(first, settledFirst), 0}
		}
		whole := counts[0] + counts[1] + counts[2]
		if a.stakeRao != own+first+second+rao {
			t.Fatalf("the hotkey got %d of %d rao", a.stakeRao-own-first-second, rao)
		}
		if shared[0].stakeRao != first || shared[1].stakeRao != second {
			t.Fatal("a list that views may share was changed")
		}
		// The take is cut to whole rao, then each part of the rest.
		kept := new(big.Int).SetUint64(dividends)
		kept.Div(kept.Mul(kept, big.NewInt(int64(take))), big.NewInt(65535))
		rest := new(big.Int).SetUint64(dividends)
		rest.Sub(rest, kept)
		var paid uint64
		for i, stake := range []uint64{first, second} {
			want := new(big.Rat)
			if whole > 0 {
				want.SetFrac(new(big.Int).SetUint64(counts[1+i]), new(big.Int).SetUint64(whole))
			}
			want.Mul(want, new(big.Rat).SetInt(rest))
			floor := new(big.Int).Div(want.Num(), want.Denom()).Uint64()
			if got := a.nominations[i].stakeRao - stake; got != floor {
				t.Errorf("nominator %d got %d rao, want %d", i, got, floor)
			}
			paid += floor
		}
		if got != paid {
			t.Errorf("nominators are said to have got %d rao, want %d", got, paid)
		}
		if paid > dividends || a.ownStake() != own+rao-paid {
			t.Errorf("nominators got %d of %d rao, the owner has %d", paid, dividends, a.ownStake())
		}
	})
}

func TestAnAccountWithoutNominatorsKeepsEverything(t *testing.T) {
	a := hotkey{stakeRao: 5, delegate: true, take: 100}
	a.earn(7, 7, 1)
	if a.stakeRao != 12 || a.ownStake() != 12 {
		t.Errorf("it has %d, of its own %d", a.stakeRao, a.ownStake())
	}
}
