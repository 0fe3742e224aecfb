package virtual

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"taolab/model/num"
)

// Target names nodes: one of them, those of a group, those of a region, or everybody; and of these a
// share, who are drawn. The block producer belongs to its region and to everybody.
type Target struct {
	Node, Group, Region string  // at most one is set; a region without a name in Links is its index
	Some                float64 // share of the nodes, rounded up; 0 means all
}

// String says who is meant.
func (t Target) String() string {
	s := "everybody"
	switch {
	case t.Node != "":
		return "node " + t.Node
	case t.Group != "":
		s = "group " + t.Group
	case t.Region != "":
		s = "region " + t.Region
	}
	if t.Some > 0 {
		s = fmt.Sprintf("%g of %s", t.Some, s)
	}
	return s
}

func (t Target) validate(c *Config) error {
	names := 0
	for _, name := range []string{t.Node, t.Group, t.Region} {
		if name != "" {
			names++
		}
	}
	switch {
	case names > 1:
		return fmt.Errorf("node %q, group %q, region %q: a target is one of them", t.Node, t.Group, t.Region)
	case !(t.Some >= 0 && t.Some <= 1):
		return fmt.Errorf("share of nodes %g is not in 0 to 1", t.Some)
	case t.Region != "" && c.region(t.Region) < 0:
		return fmt.Errorf("no region %q", t.Region)
	case t.Node != "" || t.Group != "":
		for i := range c.Nodes {
			if t.names(&c.Nodes[i], 0) {
				return nil
			}
		}
		return fmt.Errorf("no %v", t)
	}
	return nil
}

// region is the index of a region's name; -1 where there is none.
func (c *Config) region(name string) int {
	if i := slices.Index(c.Links.Regions, name); i >= 0 {
		return i
	}
	i, err := strconv.Atoi(name)
	if err != nil || len(c.Links.Regions) > 0 || i < 0 || i >= len(c.Links.Latency) {
		return -1
	}
	return i
}

// names reports whether a node is among those of whom a share is meant; region is the target's.
func (t Target) names(n *Node, region int) bool {
	switch {
	case t.Node != "":
		return n.Name == t.Node
	case t.Group != "":
		return n.Group == t.Group
	case t.Region != "":
		return n.Region == region
	}
	return true
}

// resolve is the set of those who are meant. Whose numbers are smallest make up a share; every node
// draws its own from a stream that its name gives it.
func (t Target) resolve(c *Config, draw *num.Stream) set {
	region := c.region(t.Region)
	var list []int32
	for i := range c.Nodes {
		if t.names(&c.Nodes[i], region) {
			list = append(list, int32(i))
		}
	}
	whole := t.Some == 0 || t.Some == 1 || draw == nil
	if !whole {
		number := make(map[int32]uint64, len(list))
		for _, i := range list {
			number[i] = draw.Sub(c.Nodes[i].Name).Uint64()
		}
		slices.SortFunc(list, func(a, b int32) int { return cmp.Or(cmp.Compare(number[a], number[b]), cmp.Compare(a, b)) })
		list = list[:t.count(len(list))]
	}
	s := newSet(len(c.Nodes))
	for _, i := range list {
		s.add(i)
	}
	if whole && t.Node == "" && t.Group == "" && (t.Region == "" || region == c.Chain.Region) {
		s.add(theNetwork)
	}
	return s
}

// count is how many of so many nodes a share is. 0.07 of 100 are 7, though their product in floating point
// is a little more.
func (t Target) count(nodes int) int {
	const exact = 1 - 1e-15
	return int(math.Ceil(float64(float64(t.Some*float64(nodes)) * exact)))
}

// set is a set of nodes, the block producer among them.
type set []uint64

func newSet(nodes int) set { return make(set, nodes/64+1) }

func (s set) add(i int32)      { s[uint(i+1)/64] |= 1 << (uint(i+1) % 64) }
func (s set) has(i int32) bool { return s[uint(i+1)/64]>>(uint(i+1)%64)&1 != 0 }

// each calls do for the members in order, without the block producer.
func (s set) each(do func(i int32)) {
	for at, word := range s {
		for ; word != 0; word &= word - 1 {
			if i := int32(64*at+bits.TrailingZeros64(word)) - 1; i != theNetwork {
				do(i)
			}
		}
	}
}
