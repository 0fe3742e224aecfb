// Package lm is the learner: a transformer in the shape of GPT-2, its training, and the routers that
// a validator trains to rank its peers, by batch or by row. Batches are rows of equally long token
// sequences.
//
// It promises that a result depends only on the arguments, bit for bit: not on the processor, the
// instruction set, the workspace or its earlier use. It allocates nothing once a [Workspace] has seen its
// largest shape, and no model that it makes or reads leads to a NaN. It starts no thread: one model's step
// runs on one core.
//
// The model is Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), with the
// layout and the tensor names of Hugging Face's GPT-2: layer norm before each half block (pre-norm),
// learned positions, GELU in its tanh form (Hendrycks and Gimpel, 2016), the head tied to the token
// embedding, no dropout. The optimiser is AdamW (Loshchilov and Hutter, 2019). Router: the sigmoid gates
// of Bittensor's validator of 2022. A router by row learns with Adam (Kingma and Ba, 2014), which, like
// sparse implementations of Adam, leaves the moments of unused gates as they are.
//
// # Arithmetic
//
// This section is normative. A faster kernel may replace any function here and in package kernel; it
// may not change a bit of a result.
//
// All numbers are float32 and every operation rounds once to nearest, ties to even, unless the text
// says float64. Products and sums are rounded apart; fused multiply-adds occur in matrix products
// only. "a + b + c" is (a + b) + c. exp is num.Exp32, ln is num.Log32, division and square root are
// IEEE's. n is the number of positions, d the width, v the vocabulary.
//
// Matrix product. C = S + A*B: each element starts from S (zero if not named) and takes the terms
// A[i,k]*B[k,j] in ascending k, one fused multiply-add each.
//
// Sum over lanes. 16 partial sums start from +0; lane l takes elements l, l+16, l+32, ... in
// ascending order, a product being rounded before it is added. Then lane l takes lane l+8, for l <
// 8; l+4, for l < 4; l+2, for l < 2; and lane 0 takes lane 1. Written sum16(x) below.
//
// Sum over rows (biases, gains, positions): one running sum per column from +0, rows ascending.
//
// Layer norm of a row x with gain g and bias b:
//
//	mean = sum16(x) / d;  c = x - mean;  s = 1 / sqrt(sum16(c*c)/d + 1e-5)
//	hat = c * s;  y = hat*g + b
//
// and backward, adding to dx:
//
//	dgain = sum over rows of dy*hat;  dbias = sum over rows of dy;  e = dy*g
//	dx = dx + s * ((e - sum16(e)/d) - hat*(sum16(e*hat)/d))
//
// Linear layer: y starts from the bias, then takes x*W. A layer that writes to the residual stream x
// starts from x + bias. Backward: dx = dy*W^T, dW = x^T*dy (positions ascending), dbias = sum over
// rows of dy.
//
// Attention, head by head, with the scale z = 1/sqrt(head size), computed in float64 and rounded:
// score[i,j] = sum over the head's channels of q[i]*k[j], a matrix product, for j <= i. Row i of the
// probabilities is the softmax below with scale z over j = 0..i, and +0 for i < j < e(i), where e(i)
// is the smaller of the sequence's length and the next multiple of 16 above i. y[i] takes
// p[i,j]*v[j] for j < e(i). Backward:
//
//	dp[i,j] = dy[i]*v[j];  ds[i,j] = (p*(dp - sum16 over j <= i of p*dp)) * z, +0 for i < j < e(i)
//	dq[i] = ds[i,j]*k[j], j < e(i)
//	dk[j] = ds[i,j]*q[i] and dv[j] = p[i,j]*dy[i], i from j rounded down to a multiple of 16
//
// Where only the last position of each row is wanted, the last block computes the queries' rows, and
// what comes after attention, of only that position; a sum over positions then has only those terms
// (i from the last position on), and dq is +0 elsewhere.
//
// Softmax of x with scale z: e = exp((x - max)*z); p = e * (1/sum16(e)).
//
// GELU: s = 1 / (1 + exp(x*(a + b*(x*x)))) with a = -2*sqrt(2/pi) = -1.5957691 and b = 0.044715*a =
// -0.07135481; y = x*s. Backward: dx = dy * (s + y*((1-s)*(-a - (3b)*(x*x)))), constants rounded
// once.
//
// Embedding: x = wte[token] + wpe[position]. Head: logits = hidden*wte^T.
//
// Cross-entropy of a row of logits x with target t: e = exp(x - max); loss = ln(sum16(e)) + (max -
// x[t]). The mean loss is sum16 of the losses over n. Its gradient: dx = e * (1/(sum16(e)*n)), and
// 1/n less at t.
//
// Gradient of the token embedding: the head's dlogits^T*hidden first (+0 in a router), then row
// token[p] takes dx[p] for ascending p. Of the positions: sum over rows of dx, +0 where unused.
//
// Clipping: the gradients, in the order of the arena (a router: trunk, gates, biases, each from its
// own start; a row router: trunk, gates and biases of the pairs' uids, common head, subset head), are cut into stretches of 4,096; square = the float64 sum of sum16(g*g) of each
// stretch; norm = its float64 root. Where norm exceeds the limit, every gradient is multiplied by
// limit/norm, computed in float64 and rounded; otherwise by 1. A norm beyond float32 cancels the
// step.
//
// AdamW, at step t, with products B1 and B2 in float64, multiplied by beta1 and beta2 at each step:
//
//	g = g*clip;  m = m*beta1 + g*(1-beta1);  v = v*beta2 + (g*g)*(1-beta2)
//	w = w*keep - (m*rate') / (sqrt(v)*root + epsilon), kept within -4096..4096
//	rate' = rate/(1-B1), root = 1/sqrt(1-B2), computed in float64 and rounded
//	keep = 1 - rate*decay for matrices and both embeddings, 1 for gains and biases
//
// SGD with momentum: u = u*momentum + g*clip; w = w - u*rate, kept within -4096..4096.
//
// Router: z[u,r] starts from Bias[u] and takes Gates[u]*hidden[r] over the channels; s = 1/(1 +
// exp(-z)); the score of u is sum16 of s over the rows, divided by their number. The loss adds
// (score-target)^2 in the order of the uids. Backward, off = score - target: dz = ((2*off)/rows) *
// (s*(1-s)); dbias = sum16(dz), dgate = dz*hidden, rows ascending, both added to +0 in the order of
// the uids; dhidden = dz^T*Gates over the uids in their order.
//
// Several batches to a router's step: their gradients are added to sums, which start from +0; length is
// the norm of the sums, n the number of batches. At the step the sums are multiplied by limit/length where
// length*(1/n) exceeds the limit, else by 1/n, computed in float64 and rounded. Where a batch makes the
// norm one beyond float32, the sums are dropped and no step is made.
//
// Row router: bag[r] takes the embeddings of row r's tokens in order, from +0, and is multiplied by
// 10/cols; a 1 stands behind it. q[r,k] takes bag[r]*Subsets[k] over the channels and the 1, and p[r] is
// the softmax of q[r] with scale 1. common[r] = sum16(hidden[r]*Common) + its bias. z[u,r] starts from
// common[r] + Bias[u] and takes Gates[u]*bag[r] over the channels. Without a table the score is s = 1/(1 +
// exp(-z)). With one, m[u,r] takes means[u,k]*p[r,k] over the subsets and is kept within 0.01..0.99, and
//
//	s = m / (m + (1-m)*exp(-z))
//
// The loss of a pair with target t, x being z, or z + ln(m/(1-m)) with a table, is ln(1 + exp(-|x|)) +
// (max(x,0) - t*x); the mean of P pairs is sum16 of them, in their order, over P. Backward, over the uids
// of the pairs in ascending order: dz[u,r] takes (8/P)*(s-t) of its pairs in their order, from +0; dbias =
// sum16(dz); dgate = dz*bag, rows ascending; dbag = dz^T*Gates over the uids; c[r] = sum of dz[u,r] over
// the uids from +0; dcommon = c*hidden, rows ascending, with the bias sum16(c); dhidden = c*Common. Where
// rows have labels, dq = p*(1/rows), but (p-1)*(1/rows) at the label; dsubsets = dq^T*bag with its 1, rows
// ascending, and dbag goes on with dq*Subsets over the subsets. dsubsets is +0 otherwise. The positions'
// gradient is as above; then dx[p] + dbag*(10/cols) takes the place of dx[p] in the token embedding's.
//
// Its Adam is AdamW's step with keep = 1 and B1, B2 = beta1^t, beta2^t, where t is the number of steps of
// the trunk and of the common and the subset head, and for a gate and its bias the number of those steps
// that had a pair of its uid: it does not take part in others. The power is a product in float64, from 1,
// of beta^1, beta^2, beta^4 and so on, each the square of the last, for the bits of t that are set, the
// lowest first.
//
// A batch may pass in parts, rows in order: every sum over positions goes on from the last part's.
// Decoder: position i is computed when its token is fed, with e(i) the smaller of i's block's end and
// the length then reached. What lies beyond i adds products with +0, which change no sum but one that
// is -0; a sum of values is -0 only where every term of it underflows, with values below 2^-136.
// So the bits are those of the whole prefix.
//
// Drawing a token from probabilities p, the greatest P, in float64: the weight of a token is
// exp(ln(p/P)/T), 0 for p = 0 and outside the k most probable; num.Stream.Pick draws by the running
// sums in the order of the tokens.
//
// AdamW with moments in bfloat16: M and V widened to float32 go through the step above; w is what the
// step gives. Each moment is then rounded: to the bits of its magnitude, as an integer, the upper half
// of 0x9e3779b1*i + 0x85ebca77*t modulo 2^32 is added, i being the weight's place in the arena and t
// the step; the upper half of that, no larger than 0x7f7f, is kept, with the sign.
//
// Why no NaN: with weights within 4096 and widths up to 16,384 a layer norm's output is below 2^20,
// queries, keys and values below 2^47, scores below 2^109, the residual stream finite; where its
// variance overflows, s is 0 and so is hat. Only a gradient can overflow, and then its step is
// cancelled. exp lies between e^-87 and e^88, so that no score divides by 0 or by an infinity.
package lm
