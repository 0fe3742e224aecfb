package report

import (
	"os"
	"path/filepath"
	"testing"
)

// upTo are the numbers from 0.
func upTo(n int) (list []float64) {
	for i := range n {
		list = append(list, float64(i))
	}
	return list
}

func TestAFanHasOneKindOfOuterBandAtAllPlaces(t *testing.T) {
	for _, c := range []struct {
		few  int
		want string
	}{
		{11, "x,runs,low (range),25 %,50 %,75 %,high (range)\n1,11,0,2.5,5,7.5,10\n2,101,0,25,50,75,100\n"},
		{41, "x,runs,low (5 to 95 %),25 %,50 %,75 %,high (5 to 95 %)\n1,41,2,10,20,30,38\n2,101,5,25,50,75,95\n"},
	} {
		dir := t.TempDir()
		err := WriteFan(dir, Fan{Name: "loss", Across: "x", Places: []FanPlace{{1, upTo(c.few)}, {2, upTo(101)}}})
		if err != nil {
			t.Fatal(err)
		}
		csv, err := os.ReadFile(filepath.Join(dir, FiguresFolder, "loss.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if string(csv) != c.want {
			t.Errorf("data\n%s\nexpected\n%s", csv, c.want)
		}
	}
}

func TestAFanShowsMoneyInTAO(t *testing.T) {
	dir := t.TempDir()
	err := WriteFan(dir, Fan{Name: "money.miners_rao", Across: "x", Places: []FanPlace{{1, []float64{2e9, 4e9, 6e9}}}})
	if err != nil {
		t.Fatal(err)
	}
	csv, err := os.ReadFile(filepath.Join(dir, FiguresFolder, "money.miners_rao.csv"))
	if want := "x,runs,low (range) (TAO),25 % (TAO),50 % (TAO),75 % (TAO),high (range) (TAO)\n1,3,2,3,4,5,6\n"; err != nil || string(csv) != want {
		t.Errorf("data\n%s%v\nexpected\n%s", csv, err, want)
	}
}
