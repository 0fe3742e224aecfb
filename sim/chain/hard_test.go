package chain

import (
	"bytes"
	"reflect"
	"testing"
)

func TestALayoutNamesEveryHardSetting(t *testing.T) {
	var h Hard
	v := reflect.ValueOf(&h).Elem()
	for i := range v.NumField() {
		h = Hard{}
		switch f := v.Field(i); f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		default:
			f.SetUint(1)
		}
		c := coder{}
		h.layout(&c)
		again := Hard{}
		read := coder{buf: bytes.Clone(c.buf), reading: true}
		again.layout(&read)
		if err := read.end(); err != nil || again != h {
			t.Errorf("%s: %+v was read as %+v (%v)", v.Type().Field(i).Name, h, again, err)
		}
	}
	// All zero has one form only.
	long := coder{buf: append([]byte{1}, make([]byte, 9)...), reading: true}
	if h.layout(&long); long.err == nil {
		t.Error("settings that are all zero stand in full")
	}
}

// An account that was removed and made again does not take its old transactions once more. Where nonces
// are not strict it does.
func TestAnAccountThatComesBackRefusesItsOldTransactions(t *testing.T) {
	for _, strict := range []bool{false, true} {
		s := mustNew(t, testGenesis(2, func(p *Params) { p.Hard.StrictNonce = strict }))
		pay := func(to string, rao uint64) {
			t.Helper()
			tx := Sign("test", testKey("cold0"), s.Nonce(pub("cold0")), s.height+1, Transfer{pub(to), rao})
			if err := s.Apply(tx); err != nil {
				t.Fatal(err)
			}
		}
		pay("guest", 10)
		s.EndBlock()
		old := Sign("test", testKey("guest"), s.Nonce(pub("guest")), 1000, Transfer{pub("cold1"), 10})
		if err := s.Apply(old); err != nil {
			t.Fatal(err)
		}
		s.accounts.remove(pub("guest"), s.age)
		s.EndBlock()
		pay("guest", 10)
		s.EndBlock()
		if err := s.Apply(old); (err != nil) != strict {
			t.Errorf("strict %v: the old transaction: %v", strict, err)
		}
	}
}
