import type { Operation } from "../protocol/operations.js";

/** What each call does, in the words of messages: its own name means nothing to people. */
export const callPhrases: Readonly<Record<Operation, string>> = {
  hello: "starting Python",
  renew: "making Python ready for the next training",
  release: "letting go of a model",
  "model.create": "building a model",
  "model.tensor": "reading a tensor",
  "model.set_tensor": "setting a tensor",
  "model.forward": "running a model",
  "model.generate": "generating tokens",
  "model.save": "saving a model",
  "model.to": "moving a model",
  "trainer.create": "preparing a training",
  "trainer.train": "training",
  "trainer.train_stack": "training several runs",
  "trainer.evaluate": "evaluating a model",
  "trainer.close": "closing a trainer",
  "trainer.state": "reading the state of a trainer",
};
