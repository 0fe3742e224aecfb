package scenarios

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"taolab/model/base"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// ready is a network before its first event, with the recorder of its rows.
func ready(t *testing.T, cache base.Cache, text string, sets ...string) (*Network, *rows) {
	t.Helper()
	sc, err := Decode("test.toml", text, sets)
	if err != nil {
		t.Fatal(err)
	}
	file := &File{Scenario: sc, Origin: "test.toml", Dir: ".", Text: text, Sets: sets}
	material, err := file.Prepare(context.Background(), cache, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &rows{all: map[trace.Table][]trace.Row{}}
	network, err := file.Build(material, Options{Workers: 2, Recorder: r})
	if err != nil {
		t.Fatal(err)
	}
	return network, r
}

// ran runs a network to its last block.
func ran(t *testing.T, n *Network) *virtual.World {
	t.Helper()
	world, err := virtual.New(n.Config)
	if err != nil {
		t.Fatal(err)
	}
	if err := world.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return world
}

func machine(t *testing.T, n *Network, name string) virtual.Node {
	t.Helper()
	i := slices.IndexFunc(n.Config.Nodes, func(node virtual.Node) bool { return node.Name == name })
	if i < 0 {
		t.Fatalf("no node %q", name)
	}
	return n.Config.Nodes[i]
}

// TestWhatAGroupSaysReachesItsMachines compares each value of a group with the machine's own.
func TestWhatAGroupSaysReachesItsMachines(t *testing.T) {
	network, _ := ready(t, base.Cache{}, tiny(t),
		"miners[0].min_stake_tao=3", "miners[0].min_interval_s=2.5", "miners[0].queue=7", "miners[0].slots=4", "miners[0].longest_service_s=9",
		"miners[0].require_uid=true", "miners[0].historic=true", "miners[0].coldkey=farm", "miners[0].skew_ms=[-50, 50]",
		"miners[0].loss=0.25", "miners[0].up_mbps=3", "miners[0].down_mbps=4", "miners[0].hardware_mflops=5",
		"validators[0].coldkey=bank", "validators[0].skew_ms=7", "validators[0].loss=0.125", "validators[0].hardware_mflops=6",
		"applications[0].coldkey=bank", "applications[0].skew_ms=8", "applications[0].loss=0.5", "applications[0].up_mbps=9",
		"network.header_bytes=99", "network.save_s=77", "network.producer=asia", "network.producer_txs=5",
		"network.producer_waiting=6", "network.tx_expiry_blocks=7", "network.jitter_ms=2", "chain.digest_epochs=3")
	for name, want := range map[string]virtual.Node{ // order-free: each node by itself
		"honest-1": {
			ColdkeyOf: "farm", Skew: -50 * host.Millisecond, Loss: 0.25, UpBps: 3e6, DownBps: 4e6, FLOPS: 5e6,
			Admission: host.AdmissionRules{
				MinStakeRao: 3e9, MinInterval: 2500 * host.Millisecond, Capacity: 7, Slots: 4, LongestService: 9 * host.Second,
				RequireUID: true, Historic: true,
			},
		},
		"honest-6":    {ColdkeyOf: "farm", Skew: 50 * host.Millisecond, Loss: 0.25},
		"noise-2":     {UpBps: 50e6, Admission: host.AdmissionRules{MinInterval: host.Second, Capacity: 32, Slots: 1, LongestService: 10 * host.Minute}},
		"validator-2": {ColdkeyOf: "bank", Skew: 7 * host.Millisecond, Loss: 0.125, FLOPS: 6e6},
		"app-1":       {ColdkeyOf: "bank", Skew: 8 * host.Millisecond, Loss: 0.5, UpBps: 9e6},
	} {
		got, w := reflect.ValueOf(machine(t, network, name)), reflect.ValueOf(want)
		for i := range w.NumField() {
			if !w.Field(i).IsZero() && !reflect.DeepEqual(got.Field(i).Interface(), w.Field(i).Interface()) {
				t.Errorf("%s: %s is %v, want %v", name, w.Type().Field(i).Name, got.Field(i), w.Field(i))
			}
		}
	}
	c := network.Config
	if want := (virtual.Producer{Region: 2, MaxTxs: 5, MaxWaiting: 6, ExpiryBlocks: 7}); c.Chain != want {
		t.Errorf("producer %+v, want %+v", c.Chain, want)
	}
	if c.Links.HeaderBytes != 99 || c.Links.Jitter != 2*host.Millisecond || c.SaveEvery != 77*host.Second || c.DigestEpochs != 3 {
		t.Errorf("links %+v, save every %d ns, digest every %d epochs", c.Links, c.SaveEvery, c.DigestEpochs)
	}
}

func tiny(t *testing.T) string {
	t.Helper()
	file, err := Load("testdata/tiny.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	return file.Text
}

func TestNobodySeesBlocksMoreThanAHundredBlocksLate(t *testing.T) {
	network, _ := ready(t, base.Cache{}, tiny(t), "network.block_delay_ms=600000", "time.block_s=1", "miners[0].count=40")
	latest := host.Time(0)
	for _, n := range network.Config.Nodes {
		latest = max(latest, n.BlockDelay)
	}
	if latest != 100*host.Second {
		t.Errorf("somebody sees blocks %d ns late, want 100 s at most, and for most", latest)
	}
	if err := network.Config.Validate(); err != nil {
		t.Error(err)
	}
}

// portrait is everything about a node that its own name decides: keys, place, links, and the state
// of its agent, initial weights among it.
func portrait(n *Network, i int) string {
	node := n.Config.Nodes[i]
	state := node.Agent.AppendState(nil)
	row := n.Rows[i]
	row.Node = 0
	return fmt.Sprintf("%s region %d, delay %d, up %d, down %d, skew %d, loss %g, state %x, row %+v", node.Name, node.Region,
		node.BlockDelay, node.UpBps, node.DownBps, node.Skew, node.Loss, bytes.TrimRight(state, "\x00"), plain(row))
}

// plain is a row with values in the place of pointers.
func plain(row trace.Row) string {
	var b strings.Builder
	v := reflect.ValueOf(row)
	for i := range v.NumField() {
		field := v.Field(i)
		if field.Kind() == reflect.Pointer && !field.IsNil() {
			field = field.Elem()
		}
		fmt.Fprintf(&b, "%s=%v ", v.Type().Field(i).Name, field)
	}
	return b.String()
}

const oneMore = "\n[[miners]]\nname = \"more\"\ncount = 11\nwidth = 8\nlayers = 1\ncontext = 16\nbehaviour = \"untrained\"\n"

// TestMoreMembersMoveNobodyElse adds members, a group and applications, and looks at all others.
func TestMoreMembersMoveNobodyElse(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes}
	text := tiny(t) + oneMore
	// Routing models have a gate for each uid, not for each node; so seats and neurons' shares are fixed.
	fixed := []string{"chain.max_uids=64"}
	before, _ := ready(t, cache, text, fixed...)
	want := map[string]string{}
	for i := range before.Config.Nodes {
		want[before.Config.Nodes[i].Name] = portrait(before, i)
	}
	for name, change := range map[string]struct { // order-free: each change is made by itself
		more string
		sets []string
	}{
		"a member of a group of 11": {sets: []string{"miners[2].count=12"}},
		"a hundred members":         {sets: []string{"miners[2].count=30", "miners[1].count=12"}},
		"a member of a group of 1":  {sets: []string{"applications[0].count=2"}},
		"a validator":               {sets: []string{"validators[0].count=3"}},
		"a group":                   {more: strings.ReplaceAll(oneMore, "more", "others")},
		"a fault":                   {more: "\n[[faults]]\ngroup = \"noise\"\nat_s = 600\n"},
		"a table":                   {sets: []string{"trace.rows=all"}},
	} {
		after, _ := ready(t, cache, text+change.more, append(slices.Clone(fixed), change.sets...)...)
		found := 0
		for i := range after.Config.Nodes {
			node := after.Config.Nodes[i].Name
			if old, known := want[node]; known {
				found++
				if got := portrait(after, i); got != old {
					t.Errorf("with %s more, this node moved:\n%.400s\nit was\n%.400s", name, got, old)
				}
			}
		}
		if found != len(want) {
			t.Errorf("with %s more, %d of %d nodes have their names", name, found, len(want))
		}
	}
}

// story runs a network and returns its rows as text, nodes by name and uids by the node that has
// them, so that runs with other numbers of nodes can be compared.
func story(t *testing.T, cache base.Cache, text string, sets ...string) map[trace.Table][]string {
	t.Helper()
	network, r := ready(t, cache, text, sets...)
	ran(t, network)
	told := map[trace.Table][]string{}
	name := func(node uint64) string { return network.Nodes[node].Name }
	uid := map[uint64]string{}
	for _, n := range network.Nodes {
		if n.HasUID {
			uid[uint64(n.UID)] = n.Name
		}
	}
	for table, list := range r.all { // order-free: table by table
		for _, row := range list {
			var b strings.Builder
			v := reflect.ValueOf(row)
			for i := range v.NumField() {
				field, column := v.Field(i), v.Type().Field(i).Name
				if field.Kind() == reflect.Pointer {
					if field.IsNil() {
						fmt.Fprintf(&b, "%s=NULL ", column)
						continue
					}
					field = field.Elem()
				}
				switch column {
				case "Node", "Peer", "FromNode", "ToNode", "SuccessorNode":
					fmt.Fprintf(&b, "%s=%s ", column, name(field.Uint()))
				case "UID", "Validator", "From", "To":
					fmt.Fprintf(&b, "%s=%s ", column, uid[field.Uint()])
				default:
					fmt.Fprintf(&b, "%s=%v ", column, field)
				}
			}
			told[table] = append(told[table], b.String())
		}
	}
	return told
}

// agents' own tables, in which a row is about one node.
var ofAgents = []trace.Table{trace.Queries, trace.Answers, trace.Training, trace.Applications}

// TestWhatCausesNothingMovesNoRow adds things without effect and finds every row of the agents unchanged:
// a table, applications that never ask, a fault after the last event, miners that join at the end.
func TestWhatCausesNothingMovesNoRow(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes}
	text := tiny(t) + strings.ReplaceAll(oneMore, "count = 11", "count = 2") // initial weights show in their first measurement
	// A newcomer wants a free seat, and routing models have a gate for each.
	fixed := []string{"chain.max_uids=64", "chain.burn_tao=0.5"}
	before := story(t, cache, text, fixed...)
	for _, table := range ofAgents {
		if len(before[table]) == 0 {
			t.Fatalf("no rows in %s", table)
		}
	}
	newcomers := "\n[[miners]]\nname = \"late\"\ncount = 3\nwidth = 8\nlayers = 1\ncontext = 16\njoins_h = 0.4999\nstake_tao = 9\n"
	silent := "\n[[applications]]\nname = \"silent\"\ncount = 12\nsession_s = 864000\nprompt = 8\ntokens = 2\npeers = 2\ntopk = 36\nstake_tao = 0\n"
	fault := "\n[[faults]]\nkind = \"partition\"\nregion = \"asia\"\nat_s = 1799\n"
	for name, change := range map[string]struct { // order-free: each change is made by itself
		more string
		sets []string
	}{
		"tables":    {sets: []string{"trace.rows=all", "trace.epochs=0", "trace.blocks=off"}},
		"silent":    {more: silent},
		"a fault":   {more: fault},
		"newcomers": {more: newcomers},
	} {
		after := story(t, cache, text+change.more, append(slices.Clone(fixed), change.sets...)...)
		for _, table := range ofAgents {
			got := slices.DeleteFunc(slices.Clone(after[table]), func(row string) bool {
				return strings.Contains(row, "=late-") || strings.Contains(row, "=silent-")
			})
			if diff := cmp.Diff(before[table], got); diff != "" {
				t.Errorf("%s moved rows of %s:\n%.1500s", name, table, diff)
			}
		}
	}
}

// TestAFaultMovesNothingBeforeIt crashes a node in the middle.
func TestAFaultMovesNothingBeforeIt(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes}
	text := tiny(t)
	before := story(t, cache, text)
	after := story(t, cache, text+"\n[[faults]]\ngroup = \"honest\"\nat_s = 900\n")
	for _, table := range ofAgents {
		early := func(rows []string) []string {
			return slices.DeleteFunc(slices.Clone(rows), func(row string) bool {
				var at int64
				fmt.Sscanf(row[strings.Index(row, "TimeNs=")+7:], "%d", &at)
				return at >= int64(900*host.Second)
			})
		}
		if diff := cmp.Diff(early(before[table]), early(after[table])); diff != "" {
			t.Errorf("%s:\n%.1500s", table, diff)
		}
	}
	if cmp.Equal(before[trace.Training], after[trace.Training]) {
		t.Error("the crash moved nothing after it either")
	}
}

// TestASkewedClockShowsInTheTimesOfRows sets a miner's clock a minute fast, which moves nothing else.
func TestASkewedClockShowsInTheTimesOfRows(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes}
	first := func(sets ...string) (at int64) {
		network, r := ready(t, cache, tiny(t), sets...)
		ran(t, network)
		i := slices.IndexFunc(r.all[trace.Training], func(row trace.Row) bool { return row.(trace.Train).Node == 2 })
		return r.all[trace.Training][i].(trace.Train).TimeNs
	}
	right, fast := first(), first("miners[0].skew_ms=60000")
	if fast-right != int64(host.Minute) {
		t.Errorf("the miner first measured itself at %d ns, with a clock a minute fast at %d", right, fast)
	}
}

func TestTheTableOfNodesStandsBeforeAllOtherRows(t *testing.T) {
	network, r := ready(t, base.Cache{}, tiny(t)+"\n[[miners]]\nname = \"late\"\njoins_h = 0.2\nstake_tao = 2\ncontext = 16\n",
		"miners[0].coldkey=farm")
	if len(r.all) != 1 || len(r.all[trace.Nodes]) != len(network.Nodes) {
		t.Fatalf("%d nodes, rows of %d tables, %d of nodes", len(network.Nodes), len(r.all), len(r.all[trace.Nodes]))
	}
	byName := map[string]trace.Node{}
	for i, row := range r.all[trace.Nodes] {
		node := row.(trace.Node)
		if byName[node.Name] = node; int(node.Node) != i || node.Name != network.Nodes[i].Name || node.Group != network.Nodes[i].Group {
			t.Errorf("row %d is %+v, the manifest has %+v", i, node, network.Nodes[i])
		}
	}
	key := func(name string, role host.KeyRole) string { return virtual.PublicKey(1, name, role).String() }
	some := trace.Some[uint32]
	for _, want := range []trace.Node{
		{
			Node: 5, Name: "honest-6", Group: "honest", Role: "miner", Behaviour: "honest", StakeRao: 1e9,
			Hotkey: key("honest-6", host.Hotkey), Coldkey: key("farm", host.Coldkey),
			Width: some(8), Layers: some(1), Heads: some(2), Context: some(16), Params: trace.Some(uint64(network.Nodes[5].Params)),
			FLOPS: trace.Some(uint64(10e6)), Duty: trace.Some(0.1),
		},
		{
			Node: 6, Name: "noise-1", Group: "noise", Role: "miner", Behaviour: "random", StakeRao: 1e9,
			Hotkey: key("noise-1", host.Hotkey), Coldkey: key("noise-1", host.Coldkey), FLOPS: trace.Some(uint64(16e6)),
		},
		{
			Node: 11, Name: "app-1", Group: "app", Role: "application", Behaviour: "honest", StakeRao: 10e9,
			Hotkey: key("app-1", host.Hotkey), Coldkey: key("app-1", host.Coldkey),
		},
	} {
		got := byName[want.Name]
		if got.Region = ""; !cmp.Equal(got, want) {
			t.Errorf("%s:\n%s", want.Name, cmp.Diff(want, got, cmpopts.EquateEmpty()))
		}
	}
	if late := byName["late-1"]; late.StakeRao != 2e9 || late.JoinsNs == nil || *late.JoinsNs != int64(720*host.Second) {
		t.Errorf("the newcomer %s", plain(late))
	}
	if network.Nodes[8].StakeRao != 0 {
		t.Errorf("the newcomer has %d rao staked at genesis", network.Nodes[8].StakeRao)
	}
}
