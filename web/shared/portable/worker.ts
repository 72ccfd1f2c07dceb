import { answerOrders } from "./training-worker.js";

answerOrders(self as unknown as Parameters<typeof answerOrders>[0]);
