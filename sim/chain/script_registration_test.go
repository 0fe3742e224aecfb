package chain

import (
	"fmt"
	"strconv"
	"strings"

	"taolab/sim/chain/registration"
)

// Of registration and weights the scripts know, besides register and set-weights:
//
//	mine name hotkey [block=height]     finds another proof of work for a hotkey, on the newest block
//	register-work hotkey coldkey name [block=height] [nonce=+n]    sends it, perhaps falsified
//	commit hotkey uid=value ... [version=n] [salt=text]    and reveal with the same arguments
//	commits hotkey | difficulty | counters
func (x *script) registrationCommand(f []string) (string, bool) {
	switch f[0] {
	case "mine":
		return x.mine(f[1], f[2], f[3:]), true
	case "register-work":
		m, ok := x.mined[f[3]]
		if !ok {
			return "nothing mined as " + f[3], true
		}
		if m.Coldkey = x.key(f[2]); f[2] == "nobody" {
			m.Coldkey = Key{}
		}
		for _, lie := range f[4:] {
			if v, ok := strings.CutPrefix(lie, "block="); ok {
				m.Block = number(v)
			}
			if v, ok := strings.CutPrefix(lie, "nonce=+"); ok {
				m.Nonce += number(v)
			}
		}
		return x.apply(f[1], m), true
	case "commit":
		hotkey, r := x.hidden(f[1:])
		return x.apply(f[1], CommitWeights{CommitmentOf(hotkey, r)}), true
	case "reveal":
		_, r := x.hidden(f[1:])
		return x.apply(f[1], r), true
	case "commits":
		return x.commits(f[1]), true
	case "difficulty":
		return fmt.Sprint(x.s.View().Difficulty()), true
	case "counters":
		return fmt.Sprintf("%d in this block; %d by burn and %d by work in this interval; %d works remembered",
			x.s.inBlock, x.s.burnsInterval, x.s.worksInterval, len(x.s.works)), true
	}
	return "", false
}

func number(text string) uint64 {
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return v
}

// mine solves a proof of work and keeps it under a name.
func (x *script) mine(name, hotkey string, options []string) string {
	v := x.s.View()
	m := RegisterWork{Block: v.Height()}
	if len(options) > 0 {
		m.Block = number(strings.TrimPrefix(options[0], "block="))
	}
	hash, ok := v.BlockHash(m.Block)
	if !ok {
		return fmt.Sprintf("the hash of block %d is not known", m.Block)
	}
	seal := registration.Seal(v.Params().Seal)
	nonce, work, ok := seal.Solve(hash, x.key(hotkey), v.Difficulty(), x.tried, 100_000)
	if !ok {
		return "nothing found"
	}
	m.Nonce, m.Work, x.tried = nonce, work, nonce+1
	if x.mined == nil {
		x.mined = map[string]RegisterWork{}
	}
	x.mined[name] = m
	return fmt.Sprintf("found on block %d", m.Block)
}

// hidden reads "hotkey uid=value ... [version=n] [salt=text]".
func (x *script) hidden(f []string) (hotkey Key, r RevealWeights) {
	for _, w := range f[1:] {
		switch name, value, _ := strings.Cut(w, "="); name {
		case "version":
			r.Version = number(value)
		case "salt":
			copy(r.Salt[:], value)
		default:
			r.UIDs = append(r.UIDs, uint16(number(name)))
			r.Values = append(r.Values, uint32(number(value)))
		}
	}
	return x.key(f[0]), r
}

func (x *script) commits(hotkey string) string {
	v := x.s.View()
	uid, ok := v.UIDOf(x.key(hotkey))
	if !ok {
		return "no uid"
	}
	var told []string
	for _, c := range v.Commits(uid) {
		told = append(told, fmt.Sprintf("block %d in epoch %d", c.Block, c.Epoch))
	}
	if len(told) == 0 {
		return "none"
	}
	return strings.Join(told, ", ")
}
