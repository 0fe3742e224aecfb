package playground

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"taolab/agents/wire"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/live/wallet"
)

// explain says what a return code means for the caller, with the miner's own reason where it gave one.
func explain(code host.Code, reason string) string {
	var meaning string
	switch code {
	case host.Unauthenticated:
		meaning = "refused this caller: too little stake, no uid, or too soon after its last question"
		if reason != "" {
			meaning = "refused this caller"
		}
	case host.Backoff:
		meaning = "its queue is full of callers with more stake"
	case host.Timeout:
		meaning = "no answer in time"
	case host.Unavailable:
		meaning = "could not be reached"
	case host.InvalidResponse:
		meaning = "its answer could not be read"
	case host.InvalidRequest:
		meaning = "could not read the question, perhaps because its model takes fewer tokens"
	case host.NotImplemented:
		meaning = "does not serve this kind of question"
	default:
		meaning = "answered with " + code.String()
	}
	if reason != "" {
		meaning += ": " + reason
	}
	return meaning
}

// silence is the problem of a caller to whom nobody answered.
func (s *Server) silence(last []wire.PromptPeer) *problem {
	if len(last) == 0 {
		return &problem{http.StatusServiceUnavailable, unavailable, "", "there is no miner to ask; " +
			"wait until some have registered, or see the metagraph"}
	}
	refusals := 0
	var said []string
	for _, p := range last {
		if host.Code(p.Code) == host.Unauthenticated {
			refusals++
		}
		said = append(said, fmt.Sprintf("uid %d %s", p.UID, explain(host.Code(p.Code), p.Reason)))
	}
	text := "no miner said how the text goes on: " + strings.Join(said, "; ")
	if refusals < len(last) {
		return &problem{http.StatusServiceUnavailable, unavailable, "", text}
	}
	view, self := s.app.View(), s.app.Self()
	return &problem{http.StatusForbidden, permission, "", fmt.Sprintf("%s. Your hotkey %s has %s TAO of stake; "+
		"miners ask for some before they serve: stake more on it, with taolabd tx", text, wallet.Address(self.Hotkey),
		tao(view.StakeOf(self.Hotkey)))}
}

// heard is how the miners answered since the server began, by uid.
type heard struct {
	mu   sync.Mutex
	list []hearing // ascending; at most one for each of the 65,536 uids
}

// hearing is how one miner answered.
type hearing struct {
	UID       uint16  `json:"uid"`
	Answers   int     `json:"answers"`
	Refusals  int     `json:"refusals"`
	LatencyMs float64 `json:"latency_ms"` // mean of the answers
	Last      string  `json:"last"`       // code of the newest
	Why       string  `json:"why,omitempty"`
}

// hear takes one round.
func (h *heard) hear(peers []wire.PromptPeer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range peers {
		at, found := slices.BinarySearchFunc(h.list, p.UID, func(x hearing, uid uint16) int { return int(x.UID) - int(uid) })
		if !found {
			h.list = slices.Insert(h.list, at, hearing{UID: p.UID})
		}
		x := &h.list[at]
		code := host.Code(p.Code)
		x.Last, x.Why = code.String(), ""
		if code != host.Success {
			x.Refusals++
			x.Why = explain(code, p.Reason)
			continue
		}
		x.Answers++
		x.LatencyMs += (float64(p.LatencyNs)/1e6 - x.LatencyMs) / float64(x.Answers)
	}
}

func (h *heard) all() []hearing {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]hearing{}, h.list...)
}

// standing is who the caller is, and what its stake buys.
type standing struct {
	Hotkey   string    `json:"hotkey"`
	UID      *uint16   `json:"uid"`
	StakeTAO string    `json:"stake_tao"`
	Height   uint64    `json:"height"`
	Neurons  int       `json:"neurons"`
	Ahead    int       `json:"ahead"` // neurons with more stake
	Buys     []string  `json:"buys"`
	Heard    []hearing `json:"heard"`
}

// caller answers GET /api/caller.
func (s *Server) caller(w http.ResponseWriter, _ *http.Request) {
	view, self := s.app.View(), s.app.Self()
	stake := view.StakeOf(self.Hotkey)
	c := standing{
		Hotkey: wallet.Address(self.Hotkey), StakeTAO: tao(stake), Height: view.Height(), Neurons: view.N(), Heard: s.heard.all(),
	}
	least := uint64(0)
	for i := range view.N() {
		if rao := view.Neuron(chain.UID(i)).StakeRao; rao > stake {
			c.Ahead++
			if least == 0 || rao < least {
				least = rao
			}
		}
	}
	if self.HasUID {
		uid := uint16(self.UID)
		c.UID = &uid
	}
	c.Buys = buys(&c, stake, least)
	s.write(w, http.StatusOK, c)
}

// buys says what a stake buys; least is the smallest that is larger.
func buys(c *standing, stake, least uint64) []string {
	var list []string
	if c.Ahead == 0 {
		list = append(list, "Order: no neuron has more stake; in a full queue your questions go first.")
	} else {
		list = append(list, fmt.Sprintf("Order: %d of %d neurons have more stake, and in a full queue their questions go before yours. "+
			"More than %s TAO passes the next one.", c.Ahead, c.Neurons, tao(least)))
	}
	served, refusing := 0, 0
	for _, h := range c.Heard {
		if h.Answers > 0 {
			served++
		} else {
			refusing++
		}
	}
	switch {
	case len(c.Heard) == 0:
		list = append(list, "Admission: you have asked nobody yet; each miner sets its own least stake.")
	case refusing == 0:
		list = append(list, fmt.Sprintf("Admission: all %d miners that you asked have answered.", served))
	default:
		list = append(list, fmt.Sprintf("Admission: of %d miners that you asked, %d have never answered; the table says why.",
			len(c.Heard), refusing))
	}
	if stake == 0 {
		list = append(list, "You have no stake: miners that ask for any refuse you. Stake on your hotkey with taolabd tx.")
	}
	if c.UID == nil {
		list = append(list, "You have no uid: miners that serve only neurons refuse you. An application needs none otherwise.")
	}
	return list
}

// tao is an amount in TAO, exact.
func tao(rao uint64) string {
	text := fmt.Sprintf("%d.%09d", rao/chain.RaoPerTAO, rao%chain.RaoPerTAO)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// neuron is a row of the metagraph.
type neuron struct {
	UID       int     `json:"uid"`
	Hotkey    string  `json:"hotkey"`
	Coldkey   string  `json:"coldkey"`
	Axon      string  `json:"axon"` // address; empty: none was published
	Peer      string  `json:"peer"` // key that answers there, in hexadecimal
	StakeTAO  string  `json:"stake_tao"`
	Rank      float64 `json:"rank"`
	Trust     float64 `json:"trust"`
	Consensus float64 `json:"consensus"`
	Incentive float64 `json:"incentive"`
	Dividends float64 `json:"dividends"`
	Emission  uint64  `json:"emission_rao"`
	Updated   uint64  `json:"updated_blocks"` // since its last weights or its registration
	Active    bool    `json:"active"`
	Permit    bool    `json:"permit"`
}

// mostRows bounds an answer of the metagraph.
const mostRows = 512

// metagraph answers GET /api/metagraph?from=UID.
func (s *Server) metagraph(w http.ResponseWriter, r *http.Request) {
	from := 0
	if text := r.URL.Query().Get("from"); text != "" {
		var err error
		if from, err = strconv.Atoi(text); err != nil || from < 0 {
			s.refuse(w, &problem{http.StatusBadRequest, invalidRequest, "from", fmt.Sprintf("from is %q; expected a uid", text)})
			return
		}
	}
	view := s.app.View()
	rows := []neuron{}
	for i := from; i < view.N() && len(rows) < mostRows; i++ {
		rows = append(rows, rowOf(view, i))
	}
	s.write(w, http.StatusOK, map[string]any{"height": view.Height(), "neurons": view.N(), "rows": rows})
}

func rowOf(view chain.View, uid int) neuron {
	n := view.Neuron(chain.UID(uid))
	share := func(x uint16) float64 { return float64(x) / 65535 }
	row := neuron{
		UID: uid, Hotkey: wallet.Address(n.Hotkey), Coldkey: wallet.Address(n.Coldkey), Peer: hex.EncodeToString(n.Axon[:]),
		StakeTAO: tao(n.StakeRao), Rank: share(n.Rank), Trust: share(n.Trust), Consensus: share(n.Consensus),
		Incentive: share(n.Incentive), Dividends: share(n.Dividends), Emission: n.EmissionRao,
		Active: n.Active, Permit: n.Permit,
	}
	if n.LastUpdate <= view.Height() {
		row.Updated = view.Height() - n.LastUpdate
	}
	if n.Port != 0 {
		row.Axon = net.JoinHostPort(net.IP(n.IP[:]).String(), strconv.Itoa(int(n.Port)))
	}
	return row
}
