// Implement
export type {
  Deletes,
  OriginCall,
  Reads,
  ReadsMany,
  WriteCall,
  WriteManyCall,
  Writes,
  WritesMany,
} from './origin.js'
