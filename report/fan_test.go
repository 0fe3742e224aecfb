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
