// An unmodified OpenAI client has a text continued, as a stream and as a whole, and reads a refusal.
import { createRequire } from "node:module";

const OpenAI = createRequire(process.argv[2] + "/")("openai");
const client = new OpenAI({ baseURL: process.argv[3] + "/v1", apiKey: "none", maxRetries: 0 });

const models = await client.models.list();
console.log("models", models.data.map(m => m.id).join(" "));

const stream = await client.completions.create({
  model: "mean", prompt: "the value of the ", max_tokens: 12, temperature: 0, stream: true, stream_options: { include_usage: true },
});
let text = "", parts = 0, end = "", usage;
for await (const part of stream) {
  for (const choice of part.choices) {
    text += choice.text;
    end = choice.finish_reason ?? end;
  }
  if (part.taolab?.token) parts++; // a round in which all miners are busy has none
  usage = part.usage ?? usage;
}
console.log("stream", parts, end, usage.completion_tokens);

const whole = await client.completions.create({ model: "mean", prompt: "the value of the ", max_tokens: 12, temperature: 0 });
console.log("whole", whole.choices[0].text === text);

try {
  await client.completions.create({ model: "gpt-4", prompt: "x" });
} catch (e) {
  console.log("refused", e.status, e.error.message);
}
