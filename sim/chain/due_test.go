package chain

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

type dueVectors struct {
	EpochDue []struct {
		NetUID, Tempo, Block uint64
		LastEpoch            *uint64 `json:"last_epoch_block"`
		ByHeight             uint64  `json:"blocks_until_next_epoch_2023"`
		SinceLast            uint64  `json:"blocks_until_next_auto_epoch_2026"`
		ShouldRun            bool    `json:"should_run_2026"`
	} `json:"epoch_due"`
}

func loadDue(t *testing.T) (v dueVectors) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "vectors", "registration_rules.json")
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there: the vectors lie next to the repository", path)
	}
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEpochsAreDueAsInTheOriginal(t *testing.T) {
	for _, v := range loadDue(t).EpochDue {
		if v.LastEpoch == nil { // the network's number only shifts the block
			if got := BlocksToEpoch(DueByHeight, v.Tempo, 0, v.Block+v.NetUID); got != v.ByHeight {
				t.Errorf("%+v: %d, want %d", v, got, v.ByHeight)
			}
			continue
		}
		s := &State{}
		s.params = Params{TempoBlocks: v.Tempo, EpochDue: DueSinceLast}
		s.height, s.lastEpoch = v.Block, *v.LastEpoch
		if got := s.blocksToEpoch(v.Block) == 0; got != v.ShouldRun {
			t.Errorf("%+v: due %v, want %v", v, got, v.ShouldRun)
		}
		if v.SinceLast > 0 && s.NextEvent() != v.Block+v.SinceLast {
			t.Errorf("%+v: next epoch at %d, want %d", v, s.NextEvent(), v.Block+v.SinceLast)
		}
	}
}
