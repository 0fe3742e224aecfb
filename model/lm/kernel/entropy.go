package kernel

import "taolab/model/num"

// CrossEntropy writes the loss of each row of logits [rows x vocab], -ln of the softmax at its target
// in nats, to losses:
//
//	e = exp(logits - max); sum = Sum(e); loss = num.Log32(sum) + (max - logits[target])
//
// logits become e, and sums take their sums, for [CrossEntropyBackward]. It panics if a slice is too
// short or a target is not below vocab.
func CrossEntropy(rows, vocab int, logits []float32, targets []uint16, losses, sums []float32) {
	need("CrossEntropy: logits", len(logits), rows, vocab, vocab, 1)
	atLeast("CrossEntropy: targets", len(targets), rows)
	atLeast("CrossEntropy: losses", len(losses), rows)
	atLeast("CrossEntropy: sums", len(sums), rows)
	losses, sums = losses[:rows], sums[:rows]
	for i := range losses {
		losses[i] = logits[i*vocab:][:vocab][targets[i]]
	}
	if active != Generic && rows > 0 {
		softmaxTermsVector(rows, vocab, &logits[0], 4*vocab, &sums[0], &losses[0])
	} else {
		for i := range rows {
			row := logits[i*vocab:][:vocab]
			top := largest(row)
			expGeneric(row, top, 1)
			sums[i] = sumGeneric(row)
			losses[i] = top - losses[i]
		}
	}
	for i, sum := range sums {
		losses[i] += num.Log32(sum)
	}
}

// CrossEntropyBackward turns what [CrossEntropy] left in e [rows x vocab] and sums into the gradient
// of the mean of n losses:
//
//	e = e * (1/(sum*n)), and 1/n less at the target
//
// It panics as CrossEntropy does.
func CrossEntropyBackward(rows, vocab int, e, sums []float32, targets []uint16, n float32) {
	need("CrossEntropyBackward: e", len(e), rows, vocab, vocab, 1)
	atLeast("CrossEntropyBackward: targets", len(targets), rows)
	atLeast("CrossEntropyBackward: sums", len(sums), rows)
	if active != Generic && rows > 0 && vocab > 0 {
		scaleRowsVector(rows, vocab, &e[0], 4*vocab, &sums[0], n)
	} else {
		for i := range rows {
			scaleGeneric(e[i*vocab:][:vocab], 1/float32(sums[i]*n))
		}
	}
	for i, t := range targets[:rows] {
		e[i*vocab:][:vocab][t] -= 1 / n
	}
}
