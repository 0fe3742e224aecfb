package agents

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"taolab/agents/score"
	"taolab/agents/wire"
	"taolab/sim/host"
)

// payDriver is a validator after some steps in which uid u puts a probability of u/20 on the true token, and uid
// 4 stays silent.
func payDriver(t *testing.T, change func(*testConfig)) *driver {
	t.Helper()
	c := testValidator(5)
	c.Peers, c.text.Rows, c.Publishes, c.EpochBlocks = 4, 4, true, 1000
	change(&c)
	config := c.config()
	d := &driver{env: newFakeEnv(t, 5), roundTrip: true, fresh: func() host.Agent { return NewValidator(config) }}
	d.agent = d.fresh()
	d.handle(host.Start{})
	for range 6 {
		d.done() // the routing model's scores
		for len(d.env.calls) > 0 {
			call := d.env.calls[0]
			d.env.calls = d.env.calls[1:]
			answer := host.Response{Code: host.Timeout}
			if uid, _ := d.env.state.View().UIDOf(call.to); uid != 4 {
				answer = host.Response{Code: host.Success, Body: d.trueAnswer(call.id, float64(uid)/20)}
			}
			d.handle(host.Answer{Call: call.id, From: call.to, Response: answer})
		}
		d.done() // reading
		d.done() // learning
		d.fire()
	}
	return d
}

// paidTo asks for a uid's pay.
func (d *driver) paidTo(t *testing.T, uid int, body []byte) ([]wire.Pay, host.Code) {
	t.Helper()
	d.handle(host.Incoming{Call: 900, From: publicKey(fmt.Sprint("hot ", uid)),
		Request: host.Request{Synapse: host.PayList, Dir: host.Forward, Body: body}})
	if d.env.reply.Code != host.Success {
		return nil, d.env.reply.Code
	}
	list, err := wire.DecodePay(d.env.reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return list, host.Success
}

func TestWhatAValidatorPublishesIsWhatItsWeightsAreMadeOf(t *testing.T) {
	for _, credit := range []Credit{Mixture, Market} {
		d := payDriver(t, func(c *testConfig) { c.Credit = credit })
		scores := d.agent.(*Validator).scores()
		total := 0.0
		for _, s := range scores {
			total += s
		}
		if scores[4] != 0 || !(scores[3] > scores[2] && scores[2] > scores[1] && scores[1] > 0) {
			t.Errorf("credit %d: scores %v, want those who know more above others and nothing for who is silent", credit, scores)
		}
		for uid := range 5 {
			list, _ := d.paidTo(t, uid, wire.EncodePayRequest())
			demand, own := 0.0, 0.0
			for _, p := range list {
				demand, own = demand+float64(p.Demand), own+float64(p.Own)
			}
			if math.Abs(demand-1) > 1e-6 || math.Abs(own-scores[uid]/total) > 1e-6 {
				t.Errorf("credit %d: uid %d hears of %g of %g, its weight is %g of %g", credit, uid, own, demand, scores[uid], total)
			}
		}
		if list, code := d.paidTo(t, 77, wire.EncodePayRequest()); code != host.Success || len(list) != 3 || list[0].Own != 0 {
			t.Errorf("a stranger hears %v, %v", list, code)
		}
		if _, code := d.paidTo(t, 1, []byte{1}); code != host.InvalidRequest {
			t.Errorf("a damaged question gets %v", code)
		}
	}
}

func TestWhatIsPublishedMovesWithEveryStep(t *testing.T) {
	d := payDriver(t, func(c *testConfig) { c.Credit, c.Alpha = Market, 0.5 })
	d.roundTrip = false // a restored validator would work it out again
	before, _ := d.paidTo(t, 3, wire.EncodePayRequest())
	d.done()
	for len(d.env.calls) > 0 { // nobody answers
		call := d.env.calls[0]
		d.env.calls = d.env.calls[1:]
		answer := host.Response{Code: host.Timeout}
		if uid, _ := d.env.state.View().UIDOf(call.to); uid == 1 {
			answer = host.Response{Code: host.Success, Body: d.trueAnswer(call.id, 0.15)}
		}
		d.handle(host.Answer{Call: call.id, From: call.to, Response: answer})
	}
	d.done()
	if after, _ := d.paidTo(t, 3, wire.EncodePayRequest()); after[0].Own >= before[0].Own {
		t.Errorf("who stayed silent is paid %g, before it was %g", after[0].Own, before[0].Own)
	}
}

func TestAValidatorThatDoesNotPublishSaysNothing(t *testing.T) {
	d := payDriver(t, func(c *testConfig) { c.Publishes = false })
	if _, code := d.paidTo(t, 1, wire.EncodePayRequest()); code != host.NotImplemented {
		t.Errorf("got %v", code)
	}
}

// Under market credit a uid that serves one subset is paid for that one; under mixture credit for all.
func TestTheCreditDecidesWhatASpecialistIsPaid(t *testing.T) {
	shares := map[Credit]float64{}
	for _, credit := range []Credit{Mixture, Market} {
		v := NewValidator(func() ValidatorConfig { c := testValidator(3); c.Credit = credit; return c.config() }())
		v.peers = make([]peer, 3)
		v.judge.Draw(newFakeEnv(t, 3))
		rows := v.judge.Rows()
		rows[0], rows[1] = 0, 1
		// uid 1 knows only subset 0, uid 2 both a little
		for range 50 {
			v.step.asks = []ask{
				{uid: 1, lane: score.ScoringLane, rows: []uint16{0, 1}, code: host.Success},
				{uid: 2, lane: score.ScoringLane, rows: []uint16{0, 1}, code: host.Success},
			}
			worth := v.terms().appraise([][]float64{{2, 9}, {4, 4}})
			v.take(worth)
			credits := v.credit(worth.credits)
			for i := range v.step.asks {
				a := &v.step.asks[i]
				v.observe(a, credits.next(a))
			}
		}
		s := v.scores()
		shares[credit] = s[1] / (s[1] + s[2])
	}
	if !(shares[Market] > 0.6 && shares[Mixture] < 0.4) {
		t.Errorf("the specialist's part is %v, want above 0.6 under market credit and below 0.4 under mixture credit", shares)
	}
}

func TestAMarketIsPartOfTheState(t *testing.T) {
	d := payDriver(t, func(c *testConfig) { c.Credit = Market })
	before := d.agent.(*Validator).scores()
	again := d.fresh()
	if err := again.RestoreState(d.agent.AppendState(nil)); err != nil {
		t.Fatal(err)
	}
	if after := again.(*Validator).scores(); !slices.Equal(after, before) {
		t.Errorf("scores %v, restored %v", before, after)
	}
}
