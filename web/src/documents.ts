export type {
  BasisDocument,
  CensusOfStateDocument,
  Clock,
  HistoryDocument,
  LiveChange,
  OverlayDocument,
  PlanDocument,
  RowPathDocument,
  SeriesDocument,
  ServedRunDocument,
  ServedRunRow,
  ShelfDocument,
} from "../../src/serve/documents.js";
