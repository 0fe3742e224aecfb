package settings

// Meant asks whether a candidate was meant that is spelled like the word, or begins with it; "" if there is
// none.
func Meant(word string, candidates []string) string {
	near := alike(word, candidates, anyLength)
	if near == "" && len(word) > 3 {
		near = alike(word, candidates, len(word))
	}
	if near == "" {
		return ""
	}
	return "did you mean " + near + "?"
}

// anyLength is longer than every candidate.
const anyLength = 1 << 20

// alike is the candidate with the least edit distance from the word, or "" if that exceeds one for a short
// word, two for a longer one and a third of a long one. It compares at most most letters of each candidate.
func alike(word string, candidates []string, most int) string {
	best, fewest := "", max(len(word)/3, min(2, len(word)/2))+1
	for _, candidate := range candidates {
		if changes := editDistance(word, candidate[:min(len(candidate), most)]); candidate != "" && changes < fewest {
			best, fewest = candidate, changes
		}
	}
	return best
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		corner := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := corner
			if a[i-1] != b[j-1] {
				change++
			}
			corner = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
