package main

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"taolab/agents/role"
	"taolab/sim/chain"
)

const taoDigits = 9 // after the point

// parseAmount reads an amount of money: TAO with at most nine digits after the point, or whole rao as in
// 1500rao.
func parseAmount(text string) (rao uint64, err error) {
	bad := func(fault string) (uint64, error) {
		return 0, fmt.Errorf("amount %q: %s; expected TAO as in 1.5, or rao as in 1500rao", text, fault)
	}
	if number, isRao := strings.CutSuffix(text, "rao"); isRao {
		if rao, err = strconv.ParseUint(number, 10, 64); err != nil {
			return bad("not a whole number of rao")
		}
		return rao, nil
	}
	whole, fraction, pointed := strings.Cut(strings.TrimSuffix(text, "tao"), ".")
	if len(fraction) > taoDigits {
		return bad("finer than a rao, which is the ninth digit after the point")
	}
	if pointed && fraction == "" {
		return bad("nothing stands after the point")
	}
	tao, err := strconv.ParseUint(whole, 10, 64)
	if err != nil {
		return bad("not a number of TAO")
	}
	part, err := strconv.ParseUint("0"+fraction+strings.Repeat("0", taoDigits-len(fraction)), 10, 64)
	if err != nil {
		return bad("not a number of TAO")
	}
	over, rao := bits.Mul64(tao, chain.RaoPerTAO)
	sum, carry := bits.Add64(rao, part, 0)
	if over != 0 || carry != 0 {
		return bad("more than there can be")
	}
	return sum, nil
}

// amount is money as people read it: in TAO, to the rao, without zeros at the end.
func amount(rao uint64) string { return strings.TrimSuffix(role.TAO(rao), " TAO") }
