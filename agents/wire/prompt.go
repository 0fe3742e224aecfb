package wire

import (
	"encoding/binary"
	"math"
)

// Limits of a prompt and of its continuation.
const (
	MaxPromptBytes = 32 << 10 // of text
	MaxPromptPeers = 64       // miners asked for one token
	maxReasonBytes = 255      // of a refusal
)

// Prompt asks an application to continue a text.
type Prompt struct {
	MaxTokens   int     // of the continuation
	Peers       int     // miners asked for each token; 0: as many as the application asks
	Mean        bool    // continue by the mean of all answers; false: by the best miner's
	Temperature float32 // 0: always the most probable token; 1: as the answers have it; at most 2
	TopP        float32 // only the most probable tokens with so much probability are drawn from
	Seed        uint64  // of the draws
	Text        []byte
}

// Finish is the reason why a continuation ends.
type Finish uint8

// The ends of a continuation.
const (
	GoesOn    Finish = iota // it does not end with this part
	EndOfText               // the text ended
	Length                  // as many tokens as were asked for
	NoAnswer                // no miner predicted a token in any round
)

// PromptPart is the result of one round of questions to the miners.
type PromptPart struct {
	Finish       Finish
	HasToken     bool
	Prob         float32 // of the token, by the combined answers
	PromptTokens int     // length of the prompt
	Token        []byte  // its text
	Peers        []PromptPeer
}

// NoLoss marks an answer that could not be used.
const NoLoss = -1

// PromptPeer is one miner's answer in a round.
type PromptPeer struct {
	UID       uint16
	Code      uint8 // host.Code
	LatencyNs uint64
	Loss      float32 // of the chosen token, in nats; NoLoss if there is none
	Reason    string  // of a refusal
}

// EncodePrompt encodes tokens, peers, the combination and the length of the text as uint16, temperature and share of
// probability as float32, the seed as uint64, and the text.
func EncodePrompt(p Prompt) []byte {
	combine := 0
	if p.Mean {
		combine = 1
	}
	b := header(promptRequest, 16+len(p.Text), p.MaxTokens, p.Peers, combine, len(p.Text))
	b = appendFloat(appendFloat(b, p.Temperature), p.TopP)
	b = binary.LittleEndian.AppendUint64(b, p.Seed)
	return append(b, p.Text...)
}

// DecodePrompt decodes what EncodePrompt wrote; it refuses a continuation of more than mostTokens tokens.
func DecodePrompt(b []byte, mostTokens int) (p Prompt, err error) {
	var combine, length int
	d, err := openBody(b, promptRequest, &p.MaxTokens, &p.Peers, &combine, &length)
	if err != nil {
		return Prompt{}, err
	}
	if p.MaxTokens < 1 || p.MaxTokens > mostTokens || p.Peers > MaxPromptPeers || combine > 1 {
		return Prompt{}, d.wrong("%d tokens of %d peers, combined by %d; expected 1 to %d, at most %d, and 0 or 1",
			p.MaxTokens, p.Peers, combine, mostTokens, MaxPromptPeers)
	}
	p.Mean = combine == 1
	if length > MaxPromptBytes {
		return Prompt{}, d.wrong("a text of %d bytes, expected at most %d", length, MaxPromptBytes)
	}
	if err := d.left(16 + length); err != nil {
		return Prompt{}, err
	}
	p.Temperature, p.TopP = d.float(), d.float()
	// The comparisons also refuse NaN.
	if !(p.Temperature >= 0 && p.Temperature <= 2) || !(p.TopP > 0 && p.TopP <= 1) {
		return Prompt{}, d.wrong("temperature %v and share %v, expected 0 to 2, and above 0 to 1", p.Temperature, p.TopP)
	}
	p.Seed = binary.LittleEndian.Uint64(d.rest())
	d.at += 8
	p.Text = d.rest()
	return p, nil
}

// EncodePromptPart encodes the end, whether there is a token, the length of its text and the number of peers as
// uint16, its probability as float32, the tokens of the prompt as uint32, the text, and for each peer uid and code
// as uint16, latency as uint64, loss as float32, and the length of its reason and the reason.
func EncodePromptPart(p PromptPart) []byte {
	has := 0
	if p.HasToken {
		has = 1
	}
	b := header(promptPart, 8+len(p.Token)+18*len(p.Peers), int(p.Finish), has, len(p.Token), len(p.Peers))
	b = binary.LittleEndian.AppendUint32(appendFloat(b, p.Prob), uint32(p.PromptTokens))
	b = append(b, p.Token...)
	for _, peer := range p.Peers {
		reason := peer.Reason[:min(len(peer.Reason), maxReasonBytes)]
		b = appendSize(appendSize(b, int(peer.UID)), int(peer.Code))
		b = binary.LittleEndian.AppendUint64(b, peer.LatencyNs)
		b = appendSize(appendFloat(b, peer.Loss), len(reason))
		b = append(b, reason...)
	}
	return b
}

// DecodePromptPart decodes what EncodePromptPart wrote.
func DecodePromptPart(b []byte) (p PromptPart, err error) {
	var finish, has, token, peers int
	d, err := openBody(b, promptPart, &finish, &has, &token, &peers)
	if err != nil {
		return PromptPart{}, err
	}
	if finish > int(NoAnswer) || has > 1 || has == 0 && token > 0 || peers > MaxPromptPeers {
		return PromptPart{}, d.wrong("end %d, token flag %d of %d bytes, %d peers; expected at most %d, 0 or 1, and at most %d",
			finish, has, token, peers, NoAnswer, MaxPromptPeers)
	}
	if n := len(d.rest()); n < 8+token {
		return PromptPart{}, d.wrong("%d bytes left, expected at least %d", n, 8+token)
	}
	p.Finish, p.HasToken, p.Prob = Finish(finish), has == 1, d.float()
	if !(p.Prob >= 0 && p.Prob <= 1) {
		return PromptPart{}, d.wrong("%v is not a probability", p.Prob)
	}
	p.PromptTokens = int(binary.LittleEndian.Uint32(d.rest()))
	d.at += 4
	p.Token = d.rest()[:token:token]
	d.at += token
	for range peers {
		peer, err := d.promptPeer()
		if err != nil {
			return PromptPart{}, err
		}
		p.Peers = append(p.Peers, peer)
	}
	if err := d.left(0); err != nil {
		return PromptPart{}, err
	}
	return p, nil
}

// promptPeer reads one peer.
func (d *decoder) promptPeer() (p PromptPeer, err error) {
	const fixed = 2 + 2 + 8 + 4 + 2
	if n := len(d.rest()); n < fixed {
		return p, d.wrong("%d bytes left, expected a peer of at least %d", n, fixed)
	}
	p.UID = d.uint16()
	code := d.uint16()
	if code > math.MaxUint8 {
		return p, d.wrong("code %d, expected at most %d", code, math.MaxUint8)
	}
	p.Code = uint8(code)
	p.LatencyNs = binary.LittleEndian.Uint64(d.rest())
	d.at += 8
	if p.Loss = d.float(); p.Loss != NoLoss && !(p.Loss >= 0 && finite(p.Loss)) {
		return p, d.wrong("a loss of %v, expected a finite one of at least 0, or %d", p.Loss, NoLoss)
	}
	reason := int(d.uint16())
	if n := len(d.rest()); reason > maxReasonBytes || reason > n {
		return p, d.wrong("a reason of %d bytes, expected at most %d and the %d that are left", reason, maxReasonBytes, n)
	}
	p.Reason = string(d.rest()[:reason])
	d.at += reason
	return p, nil
}
