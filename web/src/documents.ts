export type {
  BasisDocument,
  CensusOfStateDocument,
  HistoryDocument,
  LiveChange,
  OverlayDocument,
  PlanDocument,
  SeriesDocument,
  ServedRunDocument,
  ServedRunRow,
  ShelfDocument,
} from "../../src/serve/documents.js";
