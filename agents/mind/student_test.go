package mind

import (
	"math"
	"slices"
	"testing"

	"taolab/agents/state"
	"taolab/sim/host"
)

func hour(hours float64) host.Time { return host.Time(hours * float64(host.Hour)) }

// answered are the losses that a mind states on each subset at a time.
func answered(t *testing.T, s *Student, hours float64) []float64 {
	t.Helper()
	s.learn(hour(hours))
	losses := make([]float64, len(s.hours))
	for i, h := range s.hours {
		losses[i] = s.config.Floor + (s.config.Quality.Losses[i]-s.config.Floor)*math.Exp2(-h/s.config.HalfH)
	}
	return losses
}

func TestAStudentLearnsWhatItTrainsOnAndForgetsTheRest(t *testing.T) {
	c := StudentConfig{
		Quality: QualityConfig{Losses: []float64{6, 6}, MaxRows: 8}, Floor: 2, HalfH: 10, ForgetH: 0, Duty: 0.5, Mix: []float64{1, 0},
	}
	s := NewStudent(c)
	for _, step := range []struct {
		hours float64
		want  []float64
	}{{20, []float64{4, 6}}, {40, []float64{3, 6}}} {
		for i, got := range answered(t, s, step.hours) {
			if math.Abs(got-step.want[i]) > 1e-9 {
				t.Errorf("after %g hours at half the time subset %d loses %g, want %g", step.hours, i, got, step.want[i])
			}
		}
	}
	s.SetMix([]float64{0, 3})
	s.SetDuty(hour(40), 1)
	answered(t, s, 40) // the mix holds from the next question on
	if got := answered(t, s, 50); math.Abs(got[0]-3) > 1e-9 || math.Abs(got[1]-4) > 1e-9 {
		t.Errorf("after 10 hours of the second subset: %g", got)
	}
	s.SetDuty(hour(50), 0)
	s.SetDuty(hour(80), 1)
	if got := answered(t, s, 90); math.Abs(got[0]-3) > 1e-9 || math.Abs(got[1]-3) > 1e-9 {
		t.Errorf("after 30 hours without a question or training, and 10 with: %g", got)
	}
	c.ForgetH = 5
	forgets := NewStudent(c)
	many := answered(t, forgets, 1000)
	if want := 0.5 * 5 / math.Ln2; math.Abs(forgets.hours[0]-want) > 1e-9 || many[1] != 6 {
		t.Errorf("one that forgets keeps %g hours, want %g; losses %g", forgets.hours[0], want, many)
	}
}

// taught is a fresh mind with the state of another.
func taught(s *Student, from []byte) (Server, error) {
	r := s.Fresh()
	c := state.Open("student", append(state.Begin(nil, "student"), from...))
	r.Restore(c)
	return r, c.End()
}

func TestAStudentsStateReadsBackAndIsRefusedWhereItCannotBe(t *testing.T) {
	c := StudentConfig{Quality: QualityConfig{Losses: []float64{6, 5}, MaxRows: 8}, Floor: 2, HalfH: 10, ForgetH: 3, Duty: 0.5, Mix: []float64{1, 1}}
	for name, spoil := range map[string]func(*Student){ // order-free: each stands alone
		"":               func(*Student) {},
		"too few hours":  func(s *Student) { s.hours = s.hours[:1] },
		"too long a mix": func(s *Student) { s.next = append(s.next, 1) },
		"too much duty":  func(s *Student) { s.duty = 2 },
	} {
		s := NewStudent(c)
		s.SetMix([]float64{1, 3})
		answered(t, s, 7)
		s.SetDuty(s.at, 0.25)
		spoil(s)
		bytes := s.AppendState(nil)
		again, err := taught(NewStudent(c), bytes)
		if (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		} else if err == nil && !slices.Equal(again.AppendState(nil), bytes) {
			t.Errorf("%q: reads back as another", name)
		}
	}
}
