package token

import (
	"fmt"
	"slices"
	"strings"

	"taolab/model/jsontext"
)

// maxDepth bounds the nesting of a tokenizer.json.
const maxDepth = 64

// Load reads the tokenizer.json of a byte-level tokenizer like GPT-2's. It refuses all settings under
// which text would get other ids: another model, a normaliser, a prefix blank, tokens added to text, an
// alphabet that lacks a byte, ids with holes, merges out of order. It ignores settings that change no id:
// unknown members, special tokens (which no text yields), truncation and padding (which a caller asks
// for), an unknown token (as every byte is known), tokens that no merge makes.
func Load(data []byte) (*Tokenizer, error) {
	v, err := jsontext.Read(data, maxDepth)
	if err == nil {
		err = check(v)
	}
	var t *Tokenizer
	if err == nil {
		t, err = load(v)
	}
	if err != nil {
		return nil, fmt.Errorf("token: tokenizer.json: %w", err)
	}
	return t, nil
}

// check refuses settings under which this package would encode differently from what the file asks.
func check(v jsontext.Value) error {
	if v.Kind() != '{' {
		return v.Expected("an object")
	}
	m := v.Member("model")
	if m.Kind() != '{' {
		return missing(m, "model", "an object with vocab and merges")
	}
	pre := v.Member("pre_tokenizer")
	cut := jsontext.Value{}
	if all := parts(pre, "pretokenizers"); len(all) == 1 && text(all[0].Member("type")) == "ByteLevel" {
		cut = all[0]
	}
	for _, rule := range []struct {
		of     jsontext.Value
		name   string
		ok     func(jsontext.Value) bool
		wanted string
	}{
		{m, "type", words("BPE"), `"BPE"`}, // files older than the member lack it
		{m, "dropout", func(v jsontext.Value) bool { return v.Null() || isZero(v) }, "null: dropout draws ids"},
		{m, "continuing_subword_prefix", words(""), "an empty string"},
		{m, "end_of_word_suffix", words(""), "an empty string"},
		{v, "normalizer", isIdentity, "null: text is encoded as it is"},
		{v, "pre_tokenizer", func(jsontext.Value) bool { return cut.Kind() != 0 }, "ByteLevel, as GPT-2 has it"},
		{cut, "add_prefix_space", unsetOr('f'), "false: no blank goes before a text"},
		{cut, "use_regex", unsetOr('t'), "true: words are cut as GPT-2 cuts them"}, // older files lack the member
		{v, "post_processor", addsNothing, "null, or one that adds no tokens to a text"},
		{v, "decoder", joinsBytes, "ByteLevel"},
	} {
		if value := rule.of.Member(rule.name); !rule.ok(value) {
			return missing(value, rule.name, rule.wanted)
		}
	}
	return nil
}

// missing is the error of a member that is wrong or missing.
func missing(v jsontext.Value, name, wanted string) error {
	switch kind := v.Kind(); {
	case kind == 0:
		return fmt.Errorf("no %q; wanted %s", name, wanted)
	case kind == '{' && text(v.Member("type")) != "":
		return v.Errorf("found one of type %s; wanted %s", v.Member("type").Raw(), wanted)
	}
	return v.Expected(wanted)
}

// text is a string's text, "" for another value.
func text(v jsontext.Value) string {
	s, _ := v.Text()
	return s
}

// words allows some strings, null, and no member at all.
func words(allowed ...string) func(jsontext.Value) bool {
	return func(v jsontext.Value) bool {
		return v.Null() || v.Kind() == '"' && slices.Contains(allowed, text(v))
	}
}

func unsetOr(kind byte) func(jsontext.Value) bool {
	return func(v jsontext.Value) bool { return v.Kind() == 0 || v.Kind() == kind }
}

func isZero(v jsontext.Value) bool {
	x, err := v.Number()
	return err == nil && x == 0
}

// parts are the members of a sequence, or the single one.
func parts(v jsontext.Value, list string) []jsontext.Value {
	if v.Null() {
		return nil
	}
	if text(v.Member("type")) != "Sequence" {
		return []jsontext.Value{v}
	}
	all := []jsontext.Value{}
	for _, part := range v.Member(list).Elements() {
		all = append(all, part)
	}
	return all
}

func isIdentity(v jsontext.Value) bool {
	return v.Null() || v.Kind() == '{' && len(parts(v, "normalizers")) == 0
}

// addsNothing allows processors that keep a text's tokens: ByteLevel, which moves offsets, and
// templates of the text itself.
func addsNothing(v jsontext.Value) bool {
	if !v.Null() && v.Kind() != '{' {
		return false
	}
	for _, part := range parts(v, "processors") {
		switch text(part.Member("type")) {
		case "ByteLevel":
		case "TemplateProcessing":
			count := 0
			for _, piece := range part.Member("single").Elements() {
				if count++; piece.Member("Sequence").Kind() != '{' {
					return false
				}
			}
			if count != 1 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// joinsBytes allows decoders that yield the bytes of the tokens. A decoder changes no id.
func joinsBytes(v jsontext.Value) bool {
	all := parts(v, "decoders")
	for _, part := range all {
		if kind := text(part.Member("type")); kind != "ByteLevel" && kind != "Fuse" {
			return false
		}
	}
	return v.Null() || len(all) > 0
}

// load builds a tokenizer of a file whose settings are right.
func load(v jsontext.Value) (*Tokenizer, error) {
	l := &loader{}
	if err := l.readAdded(v.Member("added_tokens")); err != nil {
		return nil, err
	}
	model := v.Member("model")
	if err := l.readVocab(model.Member("vocab")); err != nil {
		return nil, err
	}
	if err := l.readMerges(model.Member("merges")); err != nil {
		return nil, err
	}
	t := newTokenizer(l.text, l.bytes, l.merges, l.added[endOfText].id)
	for _, name := range l.names {
		if id := l.added[name].id; id != t.endOfText {
			t.special = append(t.special, id)
		}
	}
	slices.Sort(t.special)
	if ignores := model.Member("ignore_merges"); ignores.Kind() == 't' {
		if id := t.unreached(); id >= 0 {
			return nil, ignores.Errorf("found true, and token %d %q is not what the merges make of its text; wanted false",
				id, spell(t.text[id]))
		}
	}
	return t, nil
}

// unreached is a token of text that the merges do not lead to, -1 if there is none.
func (t *Tokenizer) unreached() int {
	e := t.NewEncoder()
	for id, text := range t.text {
		if !t.isAdded(ID(id)) && pretoken(text) == len(text) && !slices.Equal(e.Encode(nil, text), []ID{ID(id)}) {
			return id
		}
	}
	return -1
}

// loader is the state of reading a tokenizer's file.
type loader struct {
	added  map[string]addition
	names  []string // of those, in the file's order
	text   [][]byte // by id
	byText map[string]ID
	bytes  [256]ID
	made   []bool // by id: some text encodes to it
	merges []merge
}

// addition is a token added to the tokens of text.
type addition struct {
	id ID
	at jsontext.Value
}

// readAdded reads the tokens that no text yields.
func (l *loader) readAdded(list jsontext.Value) error {
	l.added = map[string]addition{}
	for _, v := range list.Elements() {
		if len(l.added) == MaxVocab {
			return list.Errorf("more than %d tokens", MaxVocab)
		}
		content, err := v.Member("content").Text()
		if err != nil {
			return missing(v.Member("content"), "content", "the text of a token")
		}
		id, err := v.Member("id").Whole(0, MaxVocab-1)
		switch _, again := l.added[content]; {
		case err != nil:
			return missing(v.Member("id"), "id", fmt.Sprintf("a whole number from 0 to %d", MaxVocab-1))
		case again:
			return v.Errorf("%q appears twice", content)
		case content == "":
			return v.Errorf("a token without text")
		case content != endOfText && v.Member("special").Kind() != 't':
			return v.Errorf("%q (id %d) is not special: it changes how text that holds it is cut; wanted only special tokens: "+
				"remove it if the model does without it", content, id)
		}
		l.added[content] = addition{ID(id), v}
		l.names = append(l.names, content)
	}
	if _, ok := l.added[endOfText]; !ok {
		return fmt.Errorf("added_tokens: no %s; wanted it as the token between texts: others are not known to end one", endOfText)
	}
	return nil
}

// readVocab lists all tokens by id. The vocabulary may hold special ones or not.
func (l *loader) readVocab(vocab jsontext.Value) error {
	if vocab.Kind() != '{' {
		return missing(vocab, "model.vocab", "an object of token to id")
	}
	n, listed := 0, map[string]bool{}
	for name := range vocab.Members() {
		n++
		if _, ok := l.added[name]; ok {
			listed[name] = true
		}
	}
	if n += len(l.added) - len(listed); n > MaxVocab {
		return vocab.Errorf("%d tokens; wanted %d at most", n, MaxVocab)
	}
	l.text, l.byText = make([][]byte, n), make(map[string]ID, n)
	for name, v := range vocab.Members() {
		id, err := v.Whole(0, int64(n-1))
		if err != nil {
			return v.Errorf("found %s as id of token %q; wanted a whole number from 0 to %d, without a hole", v.Raw(), name, n-1)
		}
		if err := l.add(v, name, ID(id)); err != nil {
			return err
		}
	}
	for _, name := range l.names {
		a := l.added[name]
		switch {
		case listed[name]:
		case int(a.id) >= n:
			return a.at.Errorf("token %q has id %d; wanted 0 to %d, without a hole", name, a.id, n-1)
		default:
			if err := l.add(a.at, name, a.id); err != nil {
				return err
			}
		}
	}
	l.made = make([]bool, n)
	for b := range l.bytes {
		id, ok := l.byText[string([]byte{byte(b)})]
		if !ok {
			return vocab.Errorf("no token for the byte %#02x, written %q", b, runeOfByte[b])
		}
		l.bytes[b], l.made[id] = id, true
	}
	return nil
}

// add gives a token its id.
func (l *loader) add(at jsontext.Value, name string, id ID) error {
	if l.text[id] != nil {
		return at.Errorf("token %q has id %d, which is taken", name, id)
	}
	if a, ok := l.added[name]; ok {
		if a.id != id {
			return at.Errorf("%s has id %d, but %d in added_tokens", name, id, a.id)
		}
		l.text[id] = []byte(name)
		return nil
	}
	text, bad, ok := unspell(name)
	switch {
	case !ok:
		return at.Errorf("token %q (id %d): the character %q stands for no byte", name, id, bad)
	case len(text) == 0:
		return at.Errorf("token %d is empty", id)
	}
	l.text[id], l.byText[string(text)] = text, id
	return nil
}

// readMerges reads the merges: ["a", "b"], or "a b" in files older than 2024.
func (l *loader) readMerges(list jsontext.Value) error {
	if list.Kind() != '[' {
		return missing(list, "model.merges", "a list of pairs of tokens")
	}
	seen := map[uint32]int{}
	for i, v := range list.Elements() {
		m, err := l.merge(v)
		if err != nil {
			return err
		}
		if first, again := seen[pair(m.left, m.right)]; again {
			return v.Errorf("the same pair as merge %d", first)
		}
		seen[pair(m.left, m.right)] = i
		l.made[m.result] = true
		l.merges = append(l.merges, m)
	}
	if len(l.merges) > 0 {
		return nil
	}
	for id, ok := range l.made { // a file that lost its merges would spell every word
		if _, isAdded := l.added[string(l.text[id])]; !ok && !isAdded {
			return list.Errorf("token %d %q is made by no merge, for there is none", id, spell(l.text[id]))
		}
	}
	return nil
}

// merge finds the tokens of a merge. Its parts must exist by then, or a pair learned later could hide
// an earlier one and the order of merging would matter.
func (l *loader) merge(v jsontext.Value) (m merge, err error) {
	var names []string
	if v.Kind() == '"' {
		names = strings.SplitN(text(v), " ", 2)
	}
	for _, part := range v.Elements() {
		name, err := part.Text()
		if err != nil {
			return m, err
		}
		names = append(names, name)
	}
	if len(names) != 2 {
		return m, v.Errorf("found %.40s; wanted two tokens", v.Raw())
	}
	ids, joined := [2]ID{}, ""
	for i, name := range names {
		text, bad, ok := unspell(name)
		if !ok {
			return m, v.Errorf("%q: the character %q stands for no byte", name, bad)
		}
		id, ok := l.byText[string(text)]
		if !ok || !l.made[id] {
			return m, v.Errorf("%q is neither a byte nor made by an earlier merge", name)
		}
		ids[i] = id
		joined += string(text)
	}
	result, ok := l.byText[joined]
	if !ok {
		return m, v.Errorf("%q and %q make a token that model.vocab lacks", names[0], names[1])
	}
	return merge{ids[0], ids[1], result}, nil
}
