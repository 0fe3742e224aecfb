package journal

import (
	"crypto/sha256"
	"fmt"
	"time"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// What follows are the words for each act of an agent. They hold all of its arguments, bytes by their number
// and hash, so that equal words mean equal acts.

func sized(b []byte) string { return fmt.Sprintf("%d bytes %x", len(b), sha256.Sum256(b)) }

func span(t host.Time) string { return time.Duration(t).String() }

func submitted(role host.KeyRole, m chain.Msg) string {
	b, err := chain.Tx{Msg: m}.AppendBinary(nil)
	if err != nil {
		return fmt.Sprintf("submit with key %d %T that has no bytes: %v", role, m, err)
	}
	return fmt.Sprintf("submit with key %d %T of %s", role, m, sized(b))
}

func selfOf(id host.Identity) string { return fmt.Sprintf("look at identity %d", id) }

func under(id host.Identity, act string) string { return fmt.Sprintf("as identity %d %s", id, act) }

func called(to host.PeerID, r host.Request, timeout host.Time) string {
	return fmt.Sprintf("call %v with synapse %d, direction %d, replies %d, %s, for %s", to, r.Synapse, r.Dir,
		r.MaxReplies, sized(r.Body), span(timeout))
}

func replied(id host.CallID, r host.Response) string {
	return fmt.Sprintf("reply to %d with %v, more %v, %s", id, r.Code, r.More, sized(r.Body))
}

func computed(j host.Job) string { return fmt.Sprintf("compute %T of %d FLOP", j, j.Work()) }

func recorded(r trace.Row) string {
	return fmt.Sprintf("record in %s %s", r.Table(), sized(trace.AppendRow(nil, r)))
}
