package journal

import (
	"fmt"
	"slices"

	"taolab/sim/host"
	"taolab/sim/snapshot"
)

// opening is the first frame: whose journal it is, and the state that the agent begins with.
type opening struct {
	name  string
	self  host.Self
	state []byte
}

func (o *opening) layout(c *snapshot.Coder) {
	snapshot.Text(c, &o.name)
	snapshot.Number(c, &o.self.Node)
	c.Array(o.self.Peer[:])
	c.Array(o.self.Hotkey[:])
	c.Array(o.self.Coldkey[:])
	c.Blob(&o.state)
}

// turn is one event and all that the agent did about it.
type turn struct {
	now    host.Time
	height uint64 // of the view
	event  host.Event
	acts   []act
}

// act is something that an agent did or asked of its host: the words for it, all of its arguments among them,
// and the answer.
type act struct {
	text   string
	number uint64 // an identifier, or a node's number plus 1
	bytes  []byte // of a stream
}

func (t *turn) layout(c *snapshot.Coder) {
	snapshot.Number(c, &t.now)
	snapshot.Number(c, &t.height)
	codeEvent(c, &t.event)
	snapshot.List(c, &t.acts, func(a *act) {
		snapshot.Text(c, &a.text)
		snapshot.Number(c, &a.number)
		c.Blob(&a.bytes)
	})
}

// layouts has the layout of each type of event; an event stands behind its number here.
var layouts = []layout{
	of(func(c *snapshot.Coder, e *host.Start) { c.Flag(&e.Restored) }),
	of(func(c *snapshot.Coder, e *host.Timer) {
		snapshot.Number(c, &e.ID)
		snapshot.Number(c, &e.Tag)
	}),
	of(func(c *snapshot.Coder, e *host.Block) {
		snapshot.Number(c, &e.ID)
		snapshot.Number(c, &e.Tag)
		snapshot.Number(c, &e.Height)
	}),
	of(func(c *snapshot.Coder, e *host.Done) {
		snapshot.Number(c, &e.ID)
		c.Blob(&e.Result)
	}),
	of(func(c *snapshot.Coder, e *host.Incoming) {
		snapshot.Number(c, &e.Call)
		c.Array(e.From[:])
		snapshot.Number(c, &e.StakeRao)
		snapshot.Number(c, &e.Deadline)
		snapshot.Number(c, &e.Request.Synapse)
		codeWay(c, e)
		snapshot.Number(c, &e.Request.MaxReplies)
		c.Blob(&e.Request.Body)
	}),
	of(func(c *snapshot.Coder, e *host.Cancelled) { snapshot.Number(c, &e.Call) }),
	of(func(c *snapshot.Coder, e *host.Answer) {
		snapshot.Number(c, &e.Call)
		c.Array(e.From[:])
		snapshot.Number(c, &e.SentAt)
		snapshot.Number(c, &e.Response.Code)
		c.Flag(&e.Response.More)
		c.Blob(&e.Response.Body)
	}),
	of(func(c *snapshot.Coder, e *host.Included) {
		snapshot.Number(c, &e.ID)
		snapshot.Number(c, &e.Height)
	}),
	of(func(c *snapshot.Coder, e *host.Rejected) {
		snapshot.Number(c, &e.ID)
		snapshot.Number(c, &e.Height)
		snapshot.Text(c, &e.Reason)
	}),
	of(func(c *snapshot.Coder, e *host.Expired) { snapshot.Number(c, &e.ID) }),
}

// codeWay codes the direction of a request in 8 bits, and the identity that was asked above them.
func codeWay(c *snapshot.Coder, e *host.Incoming) {
	way := uint16(e.Request.Dir) | uint16(e.To)<<8
	if snapshot.Number(c, &way); c.Reading() {
		e.Request.Dir, e.To = host.Dir(way), host.Identity(way>>8)
	}
}

// layout codes events of one type.
type layout struct {
	is   func(host.Event) bool
	code func(*snapshot.Coder, *host.Event)
}

// of is the layout of a type of events, of whose fields code is the list.
func of[E host.Event](code func(*snapshot.Coder, *E)) layout {
	return layout{
		is: func(e host.Event) bool { _, is := e.(E); return is },
		code: func(c *snapshot.Coder, e *host.Event) {
			x, _ := (*e).(E)
			code(c, &x)
			*e = x
		},
	}
}

// codeEvent codes an event behind the number of its type.
func codeEvent(c *snapshot.Coder, e *host.Event) {
	kind := slices.IndexFunc(layouts, func(l layout) bool { return l.is(*e) })
	snapshot.Number(c, &kind)
	if kind < 0 || kind >= len(layouts) {
		c.Fail(fmt.Errorf("an event of type %d; expected 0 to %d", kind, len(layouts)-1))
		return
	}
	layouts[kind].code(c, e)
}
