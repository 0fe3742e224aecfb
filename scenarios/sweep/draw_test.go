package sweep

import "testing"

func TestFanOfManyPlacesPutsNeighboursTogether(t *testing.T) {
	values := map[float64][]float64{}
	for i := range 100 {
		values[float64(i)] = []float64{float64(-i)}
	}
	list := places(values)
	if len(list) != 10 {
		t.Fatalf("%d places, expected 10", len(list))
	}
	for i, p := range list {
		if want := float64(10*i) + 4.5; p.X != want || len(p.Values) != 10 || p.Values[0] != float64(-10*i) {
			t.Errorf("place %d is at %v with %v, expected %v with the ten values around it", i, p.X, p.Values, want)
		}
	}
	delete(values, 0)
	for i := range 59 {
		delete(values, float64(99-i))
	}
	if list := places(values); len(list) != 40 || list[0].X != 1 || len(list[0].Values) != 1 {
		t.Errorf("%d places, the first %+v; expected all forty as they are", len(list), list[0])
	}
}
